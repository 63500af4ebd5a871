import { expect, onTestFinished, test } from 'vitest';
import { command } from '../support/command.ts';
import { populate } from '../support/populate.ts';
import { NEVER } from '../support/queue.ts';
import { startRedis } from '../support/redis.ts';
import { Sentinels } from '../support/sentinel.ts';
import { work } from '../support/worker.ts';

const STALE = 2_900;

test('a queue whose primary dies in mid-run: the run stands in the ledger once, and all it was asked for is done (P3, P13)', async () => {
  const [target, sentinels] = await Promise.all([startRedis(), Sentinels.start()]);
  onTestFinished(async () => {
    await Promise.all([target.stop(), sentinels.stop()]);
  });
  // Rests make a run long enough to be hit in the middle.
  const env = { ...NEVER, REDIS_URL: target.url, QUEUE_REDIS_URL: sentinels.url, STALESWEEP_NICE: '3' };
  await populate(env, STALE + 100, STALE);
  const working = await work(env);
  const { run } = JSON.parse((await command(['enqueue', '--json'], env)).stdout) as { run: string };
  const heartbeats = async () => (await target.redis.keys('swarm:*:blocking:heartbeat:*')).length;
  await expect.poll(heartbeats, { interval: 20 }).toBeLessThan(STALE + 100);
  expect(await heartbeats()).toBeGreaterThan(100);
  await sentinels.failOver();

  const past = async () => {
    const { stdout } = await command(['history', '--json'], env);
    return (stdout === '' ? [] : (JSON.parse(stdout) as { run: string; state: string }[])).map((one) => [
      one.run,
      one.state,
    ]);
  };
  await expect.poll(past, { interval: 500, timeout: 120_000 }).toEqual([[run, 'completed']]);
  expect(await heartbeats()).toBe(100);
  expect(await target.redis.dbsize()).toBe(600);
  // It takes the next one, too.
  const next = JSON.parse((await command(['enqueue', '--wait', '--json'], env)).stdout) as { outcome: string };
  expect(next.outcome).toBe('completed');
  expect(await past()).toHaveLength(2);
  await working.close();
});
