import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openQueues } from '../../src/queue/queues.ts';
import { work } from '../support/worker.ts';
import { Server } from './server.ts';
import { eventually } from './eventually.ts';

test('a queue that is full is not asked thousands of times a second for a run that is due, and then hands it out', async () => {
  const server = await Server.start(['--maxmemory-policy', 'noeviction']);
  const queues = await openQueues(server.url, { onError: () => {}, onReady: () => {} });
  const asked = async () => Number(/total_commands_processed:(\d+)/.exec(await server.redis.info('stats'))?.[1]);
  try {
    const worker = await work({ REDIS_URL: server.url, STALESWEEP_CRON: '0 0 1 1 *' });
    const job = await queues.runs.add('cleanup', { target: 'default' }, { delay: 500 });
    await server.redis.config('SET', 'maxmemory', '1');
    await worker.says('it is full (maxmemory); free memory there, or give it more');
    const before = await asked();
    await pause(1_000);
    expect((await asked()) - before).toBeLessThan(200);
    await server.redis.config('SET', 'maxmemory', '0');
    await eventually(async () => await job.isCompleted(), true);
    await worker.close();
  } finally {
    await queues.close();
    await server.stop();
  }
});
