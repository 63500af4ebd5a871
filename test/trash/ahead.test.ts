/** What a dry run says that `restore` would give back: what it then gives back, and at what cost to Redis. */
import { expect, test } from 'vitest';
import { restore } from '../../src/restore/restore.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { belongingsOf, settle, STALE } from '../support/world.ts';

const server = useRedis();
const KEPT = { trash: '1h' };
const WHOLE = { run: 'test-run' };
const AWAY_MS = 1_000_000;

async function sweptOnes(count: number, ttlOf: (key: string) => number | null): Promise<string[]> {
  const { redis, url } = server.current;
  const keys: string[] = [];
  for (let i = 0; i < count; i++) {
    await settle(redis, `c${i}`, STALE + 10);
    keys.push(...belongingsOf(`c${i}`));
  }
  for (const key of keys) {
    const ttl = ttlOf(key);
    if (ttl !== null) await redis.pexpire(key, ttl);
  }
  await clean(url, { settings: KEPT });
  return keys;
}

const draw = <T>(...from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;

test.each([
  ['all of it is there', 0, 0],
  ['some names are taken again', 0.2, 0],
  ['some of it is gone', 0, 0.2],
  ['both', 0.2, 0.2],
])('a dry run counts what restore then gives back, where %s', async (_, taken, gone) => {
  const { redis, url } = server.current;
  const keys = await sweptOnes(8, () => draw(null, AWAY_MS / 2, 3 * AWAY_MS));
  // As if so much time had passed.
  for (const thing of await redis.keys('stalesweep:trash:*')) {
    if (Math.random() < gone) await redis.del(thing);
    else await redis.pexpire(thing, (await redis.pttl(thing)) - AWAY_MS);
  }
  for (const key of keys) if (Math.random() < taken) await redis.set(key, 'anew');
  const ahead = await restore(targetOf(url, KEPT), WHOLE, { dryRun: true, heartbeats: true });
  const then = await restore(targetOf(url, KEPT), WHOLE, { heartbeats: true });
  expect({ ...ahead, existing: ahead.existing.toSorted() }).toEqual({ ...then, existing: then.existing.toSorted() });
  expect(ahead.restored + ahead.expired + ahead.existing.length).toBeGreaterThan(0);
});

test('of what is all there a dry run asks for many at once', async () => {
  const { redis, url } = server.current;
  const keys = await sweptOnes(40, () => null);
  await redis.config('RESETSTAT');
  const { restored } = await restore(targetOf(url, KEPT), WHOLE, { dryRun: true, heartbeats: true });
  expect(restored).toBeGreaterThan(keys.length);
  const calls = [...(await redis.info('commandstats')).matchAll(/cmdstat_(pttl|exists|getrange):calls=(\d+)/g)];
  expect(calls.reduce((sum, [, , count]) => sum + Number(count), 0)).toBeLessThan(keys.length / 4);
});
