/** What a dry run says that `restore` would give back: what it then gives back, and at what cost to Redis. */
import { expect, test } from 'vitest';
import { contentsOf, type Held } from '../../src/restore/contents.ts';
import { withTrash } from '../../src/restore/open.ts';
import { restore } from '../../src/restore/restore.ts';
import { searchFor } from '../../src/restore/wanted.ts';
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

test('and asks once of what one call put there, however many calls that were', async () => {
  const { redis, url } = server.current;
  const [calls, each] = [40, 200];
  await redis.eval(
    `for call = 1, ARGV[1] do
      redis.call('SETRANGE', 'stalesweep:trash-ttl:c' .. call, 0, string.rep('1', 14 * (ARGV[2] + 1)))
      for i = 1, ARGV[2] do
        redis.call('SET', 'stalesweep:trash:1:test-run:c' .. call .. ':' .. (i % 9) .. '{blocking:signal:' .. call .. '-' .. i .. '}', 'x')
      end
    end`,
    0,
    calls,
    each,
  );
  await redis.config('RESETSTAT');
  expect((await restore(targetOf(url, KEPT), WHOLE, { dryRun: true })).restored).toBe(calls * each);
  const [, asked] = /cmdstat_getrange:calls=(\d+)/.exec(await redis.info('commandstats')) ?? [];
  expect(Number(asked)).toBeLessThan(3 * calls);
});

test('what is too much to hold is found by a scan for each share of it, each thing once', async () => {
  const { redis, url } = server.current;
  // Small pages, so that it shows within a scan.
  const target = targetOf(url, { ...KEPT, callBudget: '0.1ms' });
  const keys = await sweptOnes(60, () => null);
  const most = 5 + Math.floor((Math.random() * keys.length) / 2);
  await withTrash(target, new AbortController().signal, async (trash) => {
    const held: Held[] = [];
    let [lists, scans] = [0, 0];
    const pages = (glob: string) => {
      scans++;
      return trash.pages(glob);
    };
    const counting: typeof trash = Object.create(trash, { pages: { value: pages } });
    for await (const list of contentsOf(counting, searchFor(target.schema, WHOLE, 'thing'), most)) {
      lists++;
      held.push(...list);
    }
    expect(held.map(({ name }) => String(name)).sort(), `at most ${most}`).toEqual(keys.toSorted());
    expect(scans, 'none is in vain').toBe(lists);
  });
  expect(await redis.exists(...keys)).toBe(0);
});
