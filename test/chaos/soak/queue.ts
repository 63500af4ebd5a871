import { expect, test } from 'vitest';
import { failToSave, saveAgain } from '../server.ts';
import { storm } from '../storm.ts';

test('no active coordinator loses a key while the queue is full, read-only, or can not save (P1)', async (context) => {
  const after = await storm(context, {
    seconds: 4,
    queueArgs: ['--save', '3600 1000000', '--maxmemory-policy', 'noeviction'],
    gust: async ({ queue, random }) => {
      const { redis } = queue;
      await random.moment(300, 1_200);
      const what = random.pick(['full', 'read-only', 'unsaved'] as const);
      if (what === 'full') await redis.config('SET', 'maxmemory', '1');
      else if (what === 'read-only') await redis.replicaof('127.0.0.1', 1);
      else await failToSave(queue);
      await random.moment(100, 1_200);
      if (what === 'full') await redis.config('SET', 'maxmemory', '0');
      else if (what === 'read-only') await redis.replicaof('NO', 'ONE');
      else await saveAgain(queue);
    },
    after: async ({ queues }) => expect(await queues.schedule.getDelayedCount()).toBe(1),
  });
  expect(after.reported).toBe(after.swept);
});
