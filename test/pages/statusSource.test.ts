/** How pages take the status where it is slow to come. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { StatusSource } from '../../src/pages/overview/statusSource.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { StatusReader } from '../../src/status/status.ts';
import { ledgerIn } from '../support/pastRuns.ts';
import { startRedis } from '../support/redis.ts';

test('a queue that is slow to answer whoever looks for the first time in hours is not taken for one that does not answer', async () => {
  const redis = await startRedis();
  const pid = Number(/^process_id:(\d+)/m.exec(await redis.redis.info('server'))?.[1]);
  const queues = await openQueues(redis.url, { onError: () => {}, onReady: () => {} });
  onTestFinished(async () => {
    await queues.close();
    await redis.stop();
  });
  const config = resolveConfig({}, { REDIS_URL: redis.url });
  const reader = new StatusReader({ config, queues, ledger: ledgerIn(queues.connection) });
  const source = new StatusSource(reader, { known: new Map() });
  await expect.poll(async () => (await source.get()).known).toBe('now');
  const later = performance.now() + 3_600_000;
  const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
  onTestFinished(() => {
    clock.mockRestore();
  });
  process.kill(pid, 'SIGSTOP');
  // Nor for one that answers.
  expect((await source.get()).known).toBe('old');
  clock.mockReturnValue(later + 10_000);
  expect((await source.get()).known).toBe('then');
  process.kill(pid, 'SIGCONT');
  await expect.poll(async () => (await source.get()).known).toBe('now');
});
