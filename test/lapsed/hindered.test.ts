import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { addUser } from '../support/users.ts';
import { keysIn, nowOf, writeAll } from '../support/world.ts';
import {
  beats,
  belongingsOf,
  gone,
  heartbeatOf,
  lapse,
  leftIn,
  LONG_AGO,
  namesRemembered,
  remember,
  rememberedIn,
  runWithPast,
  settle,
  THRESHOLD,
} from './scene.ts';

const server = useRedis();
function everythingOf(id: string) {
  return [heartbeatOf('flat', id), ...belongingsOf('flat', id)].sort();
}

/** Over a connection to the queue's Redis as a user who may do just this. */
async function as<T>(rules: readonly string[], act: (queue: Redis) => Promise<T>): Promise<T> {
  const queue = new Redis(await addUser(server.current, rules, 'queue'));
  queue.on('error', () => {});
  try {
    return await act(queue);
  } finally {
    queue.disconnect();
  }
}

/** The list that holds what was seen. */
async function blocksKey(): Promise<string> {
  const names = (await keysIn(server.current.redis)).filter((key) => /sightings:.*:[0-9a-f]{32}:\d+$/.test(key));
  return names[0] ?? 'none';
}

describe('a queue whose user may not', () => {
  test.each([
    ['write', ['~*', '+@read', '+info', '+@connection'], 'who beats now can not be kept for the next run', true],
    ['read or write', ['~*', '+info', '+@connection'], 'who beat before can not be read', false],
    ['read these keys', ['~other:*', '+@all'], 'who beat before can not be read', false],
  ])('%s: the run goes on by what it knows, and says so in one line (P11)', async (_, rules, sentence, known) => {
    const { redis } = server.current;
    await settle(redis, 'flat', 'a');
    await lapse(redis, 'flat', gone('b'));
    await redis.set(heartbeatOf('flat', 'stale'), '{"timestamp":1500000000000}');
    const { report, warnings } = await as(rules, async (queue) => await runWithPast(server.current, { queue }));
    expect(warnings).toEqual([expect.stringContaining(sentence)]);
    expect(warnings[0]).toMatch(/: the user of the queue's Redis may not (run|touch) .*; grant it/);
    const swept = known ? 2 : 1;
    expect(report.coordinators).toMatchObject({ active: 1, stale: swept, lapsed: swept - 1, swept });
    expect(await leftIn(redis)).toEqual([...everythingOf('a'), ...(known ? [] : belongingsOf('flat', 'b'))].sort());
    expect(await namesRemembered(redis)).toEqual(['b']);
  });
});

test.each([
  ['a block that was altered', async (redis: Redis) => await redis.lset(await blocksKey(), 0, 'x')],
  ['a block that is missing', async (redis: Redis) => await redis.lpop(await blocksKey())],
  [
    'another type of key',
    async (redis: Redis) =>
      await redis
        .multi()
        .del(await blocksKey())
        .set(await blocksKey(), 'x')
        .exec(),
  ],
])('%s among what was seen: the run says so, goes on, and mends it (P11)', async (_, damage) => {
  const { redis } = server.current;
  await settle(redis, 'flat', 'a');
  await lapse(redis, 'flat', gone('b'));
  await damage(redis);
  const { report, warnings } = await runWithPast(server.current);
  expect(warnings).toHaveLength(1);
  expect(report).toMatchObject({ outcome: 'completed', coordinators: { active: 1, stale: 0 } });
  expect(await namesRemembered(redis)).toEqual(['a']);
  expect((await runWithPast(server.current)).warnings).toEqual([]);
});

test('whom a run could not read, since the line to the queue broke, is known to the next one (P11)', async () => {
  const { redis } = server.current;
  await settle(redis, 'flat', 'a');
  await lapse(redis, 'flat', gone('b'));
  const queue = redis.duplicate({ connectionName: 'fixture' });
  const read = queue.lrangeBuffer.bind(queue);
  queue.lrangeBuffer = async () => {
    queue.lrangeBuffer = read;
    throw new Error('Connection is closed.');
  };
  const { warnings } = await runWithPast(server.current, { queue });
  queue.disconnect();
  expect(warnings).toEqual([expect.stringContaining('who beat before can not be read')]);
  expect(await namesRemembered(redis)).toEqual(['a', 'b']);
  const { report } = await runWithPast(server.current);
  expect(report.coordinators).toMatchObject({ active: 1, stale: 1, lapsed: 1, swept: 1 });
});

test('who came twice while it was being replaced counts once, with the later beat, and not for ever (P11)', async () => {
  const { redis } = server.current;
  await lapse(redis, 'flat', gone('b'));
  const queue = redis.duplicate({ connectionName: 'fixture' });
  const load = queue.getrange.bind(queue);
  let loads = 0;
  // What was read first is gone by the time its second part is asked for.
  queue.getrange = async (...args: Parameters<typeof load>) => {
    if (++loads === 2) await remember(redis, [{ id: 'b', agoSeconds: 100 }]);
    return await load(...args);
  };
  const lrange = queue.lrangeBuffer.bind(queue);
  let reads = 0;
  queue.lrangeBuffer = async (...args: Parameters<typeof lrange>) => (++reads === 2 ? [] : await lrange(...args));
  // Two blocks a call; the third is another call.
  await remember(redis, [
    ...gone('b'),
    ...Array.from({ length: 120_000 }, (_, i) => ({ id: `id-${i}`, agoSeconds: 1 })),
  ]);
  const { report } = await runWithPast(server.current, { queue });
  queue.disconnect();
  expect(loads).toBeGreaterThan(1);
  expect(report.coordinators).toMatchObject({ stale: 0, lapsed: 0, swept: 0 });
  expect(await leftIn(redis)).toEqual(belongingsOf('flat', 'b').sort());
  await remember(redis, [{ id: 'b', agoSeconds: THRESHOLD + 60 }]);
  expect((await runWithPast(server.current)).report.coordinators).toMatchObject({ stale: 1, swept: 1 });
});

test.each([60_000, 200_000, undefined])(
  'who came twice lives by the later beat, though its record had to make room (memoryBudget %s; P9, P11)',
  async (memoryBudgetBytes) => {
    const { url, redis } = server.current;
    const ids = Array.from({ length: 40 }, (_, i) => `twice-${i}`);
    const keys = ids.flatMap((id) => belongingsOf('swarm', id));
    await writeAll(redis, Object.fromEntries(keys.map((key) => [key, '1'])));
    const living = await settle(redis, 'swarm', 'a');
    const nowSeconds = (await nowOf(redis)) / 1000;
    const seenAt = (names: readonly string[], agoSeconds: number) =>
      names.map((id) => ({
        coordinator: Buffer.from(id),
        swarm: Buffer.from('s1'),
        beatAtSeconds: nowSeconds - agoSeconds,
      }));
    const noted = new Set<string>();
    const sightings = {
      async *earlier() {
        yield seenAt(ids, LONG_AGO);
        yield seenAt(ids, 100);
        yield seenAt(
          Array.from({ length: 3_000 }, (_, i) => `gone-${i}`),
          LONG_AGO,
        );
      },
      see: ({ bytes, from, to }: { bytes: Uint8Array; from: number; to: number }) => {
        noted.add(Buffer.from(bytes.subarray(from, to)).toString());
      },
      keep: async () => {},
    };
    const memory = memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes };
    const report = await clean(url, { settings: { restartGrace: false }, sightings, ...memory });
    expect(report.coordinators).toMatchObject({ checked: 41, active: 41, stale: 0, lapsed: 0, swept: 0 });
    expect(await keysIn(redis)).toEqual([...keys, ...living].sort());
    expect([...noted].sort()).toEqual(['a', ...ids].sort());
  },
);

test('what is kept is bounded, and the run says how many do not fit (P9, P11)', async () => {
  const { redis } = server.current;
  // Ids that nothing makes shorter.
  const noise = (n: number) => Math.floor(Math.abs(Math.sin(n)) * 2 ** 52).toString(36);
  const many = Array.from({ length: 50_000 }, (_, i) => ({ id: `${noise(i + 1)}${noise(-i - 0.5)}`, agoSeconds: 9 }));
  await remember(redis, many);
  const mostBytes = 500_000;
  const { report, warnings } = await runWithPast(server.current, { keeping: { mostBytes } });
  expect(report.coordinators).toMatchObject({ active: 50_000 });
  const kept = (await namesRemembered(redis)).length;
  expect(kept).toBeGreaterThan(0);
  expect(warnings).toEqual([expect.stringContaining(`${50_000 - kept} of 50000 coordinators that beat do not fit`)]);
  expect(await redis.memory('USAGE', await blocksKey(), 'SAMPLES', 0)).toBeLessThan(1.5 * mostBytes);
});

test('ids of any bytes lapse and are swept as any others (P8, P11)', async () => {
  const { redis } = server.current;
  const ids = ['ü', '*', 'c?', '[a-z]', 'x y', 'line\nbreak', 'a:b:c', '\u{1f600}'];
  await lapse(redis, 'flat', gone(...ids));
  const living = await settle(redis, 'flat', 'c1');
  await beats(redis, 'flat', 'x');
  const { report } = await runWithPast(server.current);
  expect(report.coordinators).toMatchObject({ active: 2, stale: ids.length, swept: ids.length });
  expect(await leftIn(redis)).toEqual([...living, heartbeatOf('flat', 'x')].sort());
});

test('while a Redis drops keys for want of memory nobody is stale by having no heartbeat, and that is said; afterwards it is as ever (P1, P11)', async () => {
  const { redis } = server.current;
  await settle(redis, 'flat', 'a');
  await lapse(redis, 'flat', gone('b'));
  await redis.set(heartbeatOf('flat', 'stale'), '{"timestamp":1500000000000}');
  await redis.call(
    'RESTORE',
    'blocking:signal:unseen',
    '0',
    (await redis.callBuffer('DUMP', 'blocking:signal:b')) as Buffer,
    'IDLETIME',
    '5000',
  );
  const limit = async (share: number) => {
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory', String(Math.floor(used * share)));
  };
  try {
    await redis.config('SET', 'maxmemory-policy', 'volatile-ttl');
    // What expires soonest goes first.
    for (let i = 0; i < 300; i++) await redis.set(`cache:${i}`, 'x'.repeat(10_000), 'EX', 60);
    await limit(0.8);
    await redis.set('cache:more', 'x', 'EX', 60);
    const during = await runWithPast(server.current, { settings: { restartGrace: false, orphans: ['signal'] } });
    expect(during.report.coordinators).toMatchObject({ active: 2, stale: 1, lapsed: 0, swept: 1 });
    expect(during.report.keys.orphans).toBe(1);
    expect(during.warnings).toEqual([
      expect.stringMatching(/^who beat before .* is kept: Redis drops keys for want of memory/),
      expect.stringMatching(/^orphans are kept: Redis drops keys/),
    ]);
    expect(await redis.exists('blocking:signal:unseen')).toBe(1);
    expect(await leftIn(redis)).toEqual(expect.arrayContaining([...everythingOf('a'), ...belongingsOf('flat', 'b')]));
    await limit(3);
    // Its next beat may be as far away as anybody's.
    expect((await runWithPast(server.current)).report.coordinators).toMatchObject({ active: 2, lapsed: 0 });
    expect((await rememberedIn(redis)).find(({ id }) => id === 'b')?.agoSeconds).toBeLessThan(THRESHOLD);
    await remember(redis, gone('b'));
    const { report, warnings } = await runWithPast(server.current);
    expect([report.coordinators.lapsed, report.coordinators.swept, warnings]).toEqual([1, 1, []]);
  } finally {
    await redis.config('SET', 'maxmemory', '0');
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
  }
});
