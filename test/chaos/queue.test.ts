import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openQueues } from '../../src/queue/queues.ts';
import { startWorker } from '../support/cli.ts';
import { failToSave, saveAgain, Server } from './server.ts';
import { eventually } from './eventually.ts';
import { storm } from './storm.ts';

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

test('a queue that is full is not asked thousands of times a second for a run that is due, and then hands it out', async () => {
  const server = await Server.start(['--maxmemory-policy', 'noeviction']);
  const queues = await openQueues(server.url, { onError: () => {}, onReady: () => {} });
  const asked = async () => Number(/total_commands_processed:(\d+)/.exec(await server.redis.info('stats'))?.[1]);
  try {
    const worker = await startWorker({ REDIS_URL: server.url, STALESWEEP_CRON: '0 0 1 1 *' });
    const job = await queues.runs.add('cleanup', { target: 'default' }, { delay: 500 });
    await server.redis.config('SET', 'maxmemory', '1');
    await worker.says('OOM command not allowed');
    const before = await asked();
    await pause(1_000);
    expect((await asked()) - before).toBeLessThan(200);
    await server.redis.config('SET', 'maxmemory', '0');
    await eventually(async () => await job.isCompleted(), true);
    expect((await worker.kill('SIGTERM')).code).toBe(0);
  } finally {
    await queues.close();
    await server.stop();
  }
});
