/** What commands say, and how long they stay, while a target stands still. */
import { expect, onTestFinished, test } from 'vitest';
import { command } from '../support/command.ts';
import { startRedis } from '../support/redis.ts';

/** An attempt to connect lasts seven seconds; whoever asks whether a target answers waits for two. */
const ENOUGH_MS = 6_000;

test('a command says soon that a target does not answer, and ends with its answer, not with the attempt to connect', async () => {
  const [target, queue] = await Promise.all([startRedis(), startRedis()]);
  const pid = Number(/^process_id:(\d+)/m.exec(await target.redis.info('server'))?.[1]);
  onTestFinished(async () => {
    process.kill(pid, 'SIGCONT');
    await Promise.all([target.stop(), queue.stop()]);
  });
  process.kill(pid, 'SIGSTOP');
  const begun = performance.now();
  const { code, stdout, stderr } = await command(['status', '--json'], {
    REDIS_URL: target.url,
    QUEUE_REDIS_URL: queue.url,
  });
  expect(performance.now() - begun).toBeLessThan(ENOUGH_MS);
  expect(stderr).toBe(`stalesweep: Redis at ${target.url} does not answer yet; waiting for it\n`);
  const { troubles } = JSON.parse(stdout) as { readonly troubles: readonly { readonly word: string }[] };
  expect(code).toBe(0);
  expect(troubles.map(({ word }) => word)).toContain('Out of reach');
});
