import { expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { storm } from '../storm.ts';

// Workers wait for most of the time that these take.
test.concurrent('runs and schedules come back by themselves after the queue was flushed (P1)', async (context) => {
  await storm(context, {
    seconds: 4,
    gust: async ({ queue, requests, random }) => {
      await random.moment(500, 1_500);
      await requests.forget(() => queue.redis.flushall());
    },
    after: async ({ queues }) => {
      const scheduled = async () => (await queues.schedule.getJobSchedulers()).map(({ key }) => key);
      await eventually(scheduled, ['cleanup:default']);
      expect(await queues.schedule.getDelayedCount()).toBe(1);
    },
  });
});

test.concurrent('connections to the queue that lead nowhere are given up, and runs go on (P1)', async (context) => {
  await storm(context, {
    seconds: 1,
    gust: async ({ toQueue, random }) => {
      await random.moment(500, 1_500);
      toQueue.forget();
    },
  });
});
