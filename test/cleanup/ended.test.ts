/** What a run leaves when it has failed: nothing under way, and no connection. */
import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { expectNoLeaks, useRedis } from '../support/leaks.ts';
import { beat, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
/** More than a call should bring. */
const LARGE = 300_000;

test('once a reading has failed nothing is sent any more that was to follow others, and nobody connects again', async () => {
  const { redis, url } = server.current;
  const now = await nowOf(redis);
  const world: Record<string, string> = {};
  for (let i = 0; i < 2_000; i++) world[heartbeatOf(`c${i}`)] = beat(now - (i % 2) * 3_600_000);
  await writeAll(redis, world);
  // Whether these exist is asked once their values are known to be none.
  const lists = redis.pipeline();
  for (let i = 0; i < 2_000; i++) lists.rpush(heartbeatOf(`list${i}`), '1');
  await lists.exec();
  let [readings, late, hasEnded] = [0, 0, false];
  const running = clean(url, {
    before: (name) => {
      if (hasEnded) late++;
      if (name === 'mget' && ++readings === 12) throw new Error('no more readings');
    },
    after: async (name) => {
      if (name !== 'mget' || readings < 12) return;
      // Long enough for the run to end, were it not to wait.
      for (let i = 0; i < 30; i++) await redis.ping();
      if (hasEnded) late++;
    },
  });
  await expect(running).rejects.toThrow('no more readings');
  hasEnded = true;
  for (let i = 0; i < 60; i++) await redis.ping();
  expect(late).toBe(0);
  await expectNoLeaks(server.current);
});

test('as long as nobody knows how large values are, or they are too large for a call, few are on their way (P9)', async () => {
  const { redis } = server.current;
  const world: Record<string, string> = {};
  const pad = 'x'.repeat(LARGE);
  for (let i = 0; i < 24; i++) world[heartbeatOf(`c${i}`)] = JSON.stringify({ timestamp: await nowOf(redis), pad });
  await writeAll(redis, world);
  let [asked, answered, most] = [0, 0, 0];
  await clean(server.current.url, {
    before: (name) => {
      if (name === 'mget') most = Math.max(most, ++asked - answered);
    },
    after: async (name) => {
      if (name !== 'mget') return;
      // Whoever may go on before this one is seen does so.
      await new Promise(setImmediate);
      answered++;
    },
  });
  expect(answered).toBeGreaterThan(10);
  expect(most).toBeLessThanOrEqual(4);
});
