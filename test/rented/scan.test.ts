import { describe, expect, onTestFinished, test } from 'vitest';
import { examine } from '../../src/cli/examine/doctor.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { ScanEnd } from '../../src/redis/keyspace/scanEnd.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { RentedRedis, type Rule } from '../support/rented/proxy.ts';
import { all, circlingScan, endlessScan, RESP2, stuckScan } from '../support/rented/rules.ts';
import { keysIn, STALE, settle, writeAll } from '../support/world.ts';

const server = useRedis();

async function rent(rule: Rule): Promise<RentedRedis> {
  const rented = await RentedRedis.open(server.current.port, all(RESP2, rule));
  onTestFinished(async () => await rented.close());
  return rented;
}

describe.each<[string, () => Rule, RegExp]>([
  ['is always another one', endlessScan, /slots were passed, of \d+ keys/],
  ['is always the same', () => stuckScan, /cursor 17 came again/],
  ['goes round in a circle', circlingScan, /cursor [123] came again/],
])('a SCAN whose cursor never ends, and %s,', (_, rule, why) => {
  test('ends a run in one sentence, and nothing is removed', async () => {
    const keys = await settle(server.current.redis, 'c', STALE);
    const { url } = await rent(rule());
    const ended = clean(url);
    await expect(ended).rejects.toThrow(
      /^SCAN does not end on this server \(.*\), so nobody can tell who lives there$/,
    );
    await expect(ended).rejects.toThrow(why);
    expect(await keysIn(server.current.redis)).toEqual(keys.sort());
  });

  test('is what `doctor` says', async () => {
    await settle(server.current.redis, 'c', STALE);
    const { url } = await rent(rule());
    const config = resolveConfig({}, { REDIS_URL: url, QUEUE_REDIS_URL: server.current.url });
    const failed = (await examine(config, [...config.targets.values()])).filter(({ status }) => status === 'failed');
    expect(failed).toEqual([
      { target: 'default', check: 'server', status: 'failed', message: expect.stringMatching(why), advice: null },
    ]);
  });
});

test('a SCAN over very many empty slots ends, as after a mass deletion', async () => {
  const { url, redis } = server.current;
  const names = Array.from({ length: 100_000 }, (_, i) => `other:${i}`);
  await writeAll(redis, Object.fromEntries(names.map((name) => [name, ''])));
  await settle(redis, 'c', STALE);
  await redis.config('SET', 'activerehashing', 'no');
  for (let from = 0; from < names.length; from += 10_000) await redis.unlink(names.slice(from, from + 10_000));
  expect(await clean(url)).toMatchObject({ coordinators: { swept: 1 } });
  await redis.config('SET', 'activerehashing', 'yes');
});

test("Redis' own cursors never come again, whatever the keyspace does meanwhile", async () => {
  const { redis } = server.current;
  const names = Array.from({ length: 20_000 }, (_, i) => `key:${i}`);
  for (let pass = 0; pass < 2; pass++) {
    await writeAll(redis, Object.fromEntries(names.map((name) => [name, ''])));
    const seen = new Set<string>();
    const end = new ScanEnd(names.length);
    let [cursor, pages] = ['0', 0];
    do {
      const [next, keys] = await redis.scan(cursor, 'COUNT', 10);
      cursor = next;
      end.note(cursor, 10, keys.length);
      expect(seen.has(cursor)).toBe(false);
      seen.add(cursor);
      // The table grows and shrinks under it.
      if (++pages % 20 === 0) await redis.unlink(names.slice(pages * 10, pages * 10 + 3_000));
      if (pages % 100 === 0)
        await writeAll(redis, Object.fromEntries(names.slice(0, pages * 5).map((name) => [name, ''])));
    } while (cursor !== '0');
  }
});

test('so many more keys than there were are no keyspace that is walked once', () => {
  const end = new ScanEnd(1_000);
  const walk = () => {
    for (let page = 1; page < 10_000; page++) end.note(String(page), 1_000, 1_000);
  };
  expect(walk).toThrow(/\d+ keys came, of 1000/);
});
