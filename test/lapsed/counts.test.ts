import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { addUser } from '../support/users.ts';
import { beat, nowOf, writeAll } from '../support/world.ts';
import {
  belongingsOf,
  gone,
  heartbeatOf,
  lapse,
  leftIn,
  LONG_AGO,
  namesRemembered,
  remember,
  runWithPast,
  settle,
  sharedBy,
} from './scene.ts';

const server = useRedis();
/** All that a dry run needs. */
const READER = ['~*', '+@read', '+info', '+time', '+ping'];

describe('who left nothing', () => {
  test('is not counted, and forgotten (P11)', async () => {
    const { redis } = server.current;
    await remember(redis, gone('clean-1', 'clean-2'));
    const { report } = await runWithPast(server.current);
    expect(report.coordinators).toMatchObject({ checked: 0, stale: 0, lapsed: 0, swept: 0 });
    expect(await namesRemembered(redis)).toEqual([]);
  });

  test('is no reason to refuse a run: it left in good order (P11)', async () => {
    const { redis } = server.current;
    await settle(redis, 'flat', 'living');
    await lapse(redis, 'flat', gone('left'));
    await remember(redis, gone('left', ...Array.from({ length: 20 }, (_, i) => `clean-${i}`)));
    const { report } = await runWithPast(server.current, { settings: { maxStale: 5 } });
    expect(report).toMatchObject({ outcome: 'completed', coordinators: { checked: 2, stale: 1, lapsed: 1, swept: 1 } });
  });

  test('but one who left only a key together with another is counted, whoever of the two it goes with (P2, P11)', async () => {
    const { redis } = server.current;
    await remember(redis, gone('a', 'b'));
    await redis.set(sharedBy('a', 'b'), '1');
    const { report } = await runWithPast(server.current);
    expect(await leftIn(redis)).toEqual([]);
    expect(report.coordinators).toMatchObject({ stale: 2, lapsed: 2, swept: 2 });
    expect(report.keys).toMatchObject({ found: 1, deleted: 1 });
  });

  test('nor is one of whom only keys are there that a living one shares (P2, P11)', async () => {
    const { redis } = server.current;
    await settle(redis, 'flat', 'living');
    await remember(redis, gone('a'));
    await redis.set(sharedBy('a', 'living'), '1');
    const before = await leftIn(redis);
    const { report } = await runWithPast(server.current);
    expect(await leftIn(redis)).toEqual(before);
    expect(report.coordinators).toMatchObject({ checked: 1, active: 1, stale: 0, swept: 0 });
  });

  test('in one swarm, living in another, is not counted there (P2, P11)', async () => {
    const { redis } = server.current;
    const living = await settle(redis, 'swarm', 'leader', 's2');
    await remember(redis, [{ id: 'leader', swarm: 's1', agoSeconds: LONG_AGO }]);
    const { report } = await runWithPast(server.current, { schema: 'swarm' });
    expect(await leftIn(redis)).toEqual([...living].sort());
    expect(report.coordinators).toMatchObject({ checked: 1, active: 1, stale: 0, lapsed: 0, swept: 0 });
  });
});

test.each(['flat', 'swarm', 'claude-flow-novice'] as const)(
  'a dry run counts what a real one reaches, and passes without a single right to write: %s (P7, P11)',
  async (schema) => {
    const { redis } = server.current;
    await lapse(redis, schema, gone('a', 'a:b', 'c'));
    await settle(redis, schema, 'living');
    await writeAll(redis, { [sharedBy('a', 'c')]: '1', [sharedBy('a', 'living')]: '1', [sharedBy('x', 'c')]: '1' });
    const before = await leftIn(redis);
    const url = await addUser(server.current, READER);
    const options = { schema, keeping: { readOnly: true } };
    const dry = await runWithPast({ url, redis }, { ...options, dryRun: true });
    expect(await leftIn(redis)).toEqual(before);
    expect(await namesRemembered(redis)).toEqual(['a', 'a:b', 'c']);
    const real = await runWithPast(server.current, { schema });
    expect(dry.report.coordinators).toEqual({ ...real.report.coordinators, swept: 0 });
    expect(dry.report.keys).toEqual({ ...real.report.keys, deleted: 0 });
    expect(real.report.coordinators).toMatchObject({ checked: 4, active: 1, stale: 3, lapsed: 3, swept: 3 });
    expect(real.report.keys.deleted).toBe(3 * 6 + 2);
  },
);

test('what an earlier attempt swept of the lapsed is counted in the report of the one that ends (P11)', async () => {
  const { redis } = server.current;
  await lapse(redis, 'flat', gone('a', 'b'));
  const carried = {
    swept: 5,
    lapsed: 3,
    deletedByFamily: [2, 5, 0, 0, 0, 0],
    chunks: 1,
    calls: 9,
    slowestCallMs: 1,
    memoryFreedBytes: 0,
  };
  const { report } = await runWithPast(server.current, { carried, attempts: 2 });
  expect(report.coordinators).toMatchObject({ checked: 7, stale: 7, lapsed: 5, swept: 7 });
});

test.each([900, 20_000, undefined])(
  'counts and what is left do not depend on the memory budget: %s bytes (P9, P11)',
  async (memoryBudgetBytes) => {
    const { redis } = server.current;
    const ids = Array.from({ length: 200 }, (_, i) => `coordinator-${i}`);
    await lapse(redis, 'flat', gone(...ids));
    const living = await settle(redis, 'flat', 'living');
    const shared = ids.map((id, i) => sharedBy(id, `coordinator-${(i + 1) % 200}`));
    const kept = ids.map((id) => sharedBy(id, 'living'));
    await writeAll(redis, Object.fromEntries([...shared, ...kept].map((key) => [key, '1'])));
    await remember(redis, gone(...ids, 'clean-1', 'clean-2'));
    const options = memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes };
    const { report } = await runWithPast(server.current, options);
    expect(await leftIn(redis)).toEqual([...living, ...kept].sort());
    expect(report.coordinators).toMatchObject({
      checked: 201,
      active: 1,
      stale: 200,
      lapsed: 200,
      swept: 200,
      revived: 0,
    });
    expect(report.keys).toMatchObject({ found: 200 * 7, deleted: 200 * 7 });
    // Each of them shares a key with who lives.
    expect(await namesRemembered(redis)).toEqual([...ids, 'living'].sort());
  },
);

test.each([
  [2, 10_000],
  [4, 60_000],
  [8, 30_000],
  [8, 60_000],
])(
  'whose heartbeat expires while keys are looked for is swept whole and counted, however little memory there is: at call %s, with %s bytes (P3, P9, P11)',
  async (call, memoryBudgetBytes) => {
    const { redis } = server.current;
    const ids = Array.from({ length: 200 }, (_, i) => `coordinator-${i}`);
    await remember(redis, gone(...ids));
    // Only a scan finds them.
    const keys = ids.flatMap((id, i) =>
      Array.from({ length: 10 }, (_, n) => [
        sharedBy(id, `coordinator-${(i + 1 + n) % 200}`),
        `blocking:ack:${id}:${n}`,
      ]).flat(),
    );
    const stale = beat((await nowOf(redis)) - LONG_AGO * 1000);
    await writeAll(redis, {
      ...Object.fromEntries(keys.map((key) => [key, '1'])),
      ...Object.fromEntries(ids.map((id) => [heartbeatOf('flat', id), stale])),
    });
    let calls = 0;
    const { report } = await runWithPast(server.current, {
      memoryBudgetBytes,
      before: async (name) => {
        if (name !== 'evalsha' || ++calls !== call) return;
        await redis.unlink(...ids.filter((_, i) => i % 3 === 0).map((id) => heartbeatOf('flat', id)));
      },
    });
    expect(await leftIn(redis)).toEqual([]);
    expect(report.coordinators).toMatchObject({ checked: 200, stale: 200, swept: 200, revived: 0 });
  },
);

test.each([1, 2, 3, 4, 5])(
  'who is found to have left nothing while a call sweeps it is counted as never there, and once: call %s (P11)',
  async (call) => {
    const { redis } = server.current;
    const ids = Array.from({ length: 200 }, (_, i) => `c${i}`);
    const stale = beat((await nowOf(redis)) - LONG_AGO * 1000);
    const keys = ids.flatMap((id, i) => [0, 31, 62].map((n) => sharedBy(id, `c${(7 * i + n) % 200}`)));
    await writeAll(redis, {
      ...Object.fromEntries(keys.map((key) => [key, '1'])),
      ...Object.fromEntries(ids.map((id) => [heartbeatOf('swarm', id), stale])),
    });
    let calls = 0;
    const { report } = await runWithPast(server.current, {
      schema: 'swarm',
      settings: { callBudget: '0.1ms' },
      before: async (name) => {
        // Meanwhile other calls go on with the same coordinators.
        if (name === 'exists') for (let i = 0; i < 300; i++) await setImmediate();
        if (name !== 'evalsha' || ++calls !== call) return;
        await redis.unlink(...ids.filter((_, i) => i % 2 === 0).map((id) => heartbeatOf('swarm', id)));
      },
    });
    expect(await leftIn(redis)).toEqual([]);
    const { checked, swept } = report.coordinators;
    expect(report.coordinators).toMatchObject({ checked, stale: checked, swept: checked, revived: 0 });
    expect(report.silence.at(-1)).toBe(swept);
  },
);

test('whom another run left word of since the first pass is counted as everybody else (P9, P11)', async () => {
  const { url, redis } = server.current;
  const [first, later] = ['first', 'later'].map((name) => Array.from({ length: 100 }, (_, i) => `${name}-${i}`));
  const ids = [...(first ?? []), ...(later ?? [])];
  await writeAll(redis, Object.fromEntries(ids.flatMap((id) => belongingsOf('flat', id)).map((key) => [key, '1'])));
  const living = await settle(redis, 'flat', 'living');
  const nowSeconds = (await nowOf(redis)) / 1000;
  let readings = 0;
  const sightings = {
    async *earlier() {
      yield (readings++ === 0 ? (first ?? []) : ids).map((id) => ({
        coordinator: Buffer.from(id),
        swarm: null,
        beatAtSeconds: nowSeconds - LONG_AGO,
      }));
    },
    see: () => {},
    keep: async () => {},
  };
  const settings = { schema: 'flat', restartGrace: false };
  const report = await clean(url, { settings, sightings, memoryBudgetBytes: 5_000 });
  expect(readings).toBeGreaterThan(1);
  const { stale } = report.coordinators;
  expect(stale).toBeGreaterThan(100);
  expect(report.coordinators).toMatchObject({ checked: stale + 1, active: 1, lapsed: stale, swept: stale });
  expect(report.silence.at(-1)).toBe(stale);
  expect(await leftIn(redis)).toHaveLength((200 - stale) * 6 + living.length);
});

describe('after a restart (P10, P11)', () => {
  test('of a target that came back empty nobody lapsed is stale before silence since then exceeds the threshold', async () => {
    // The server of this file has just started.
    const { redis } = server.current;
    await lapse(redis, 'flat', gone('a'));
    const { report } = await runWithPast(server.current, { settings: { restartGrace: true } });
    expect(report.coordinators).toMatchObject({ active: 1, stale: 0, swept: 0 });
    expect(await leftIn(redis)).toEqual(belongingsOf('flat', 'a').sort());
    expect(await namesRemembered(redis)).toEqual(['a']);
  });

  test('once it does, everything goes', async () => {
    const { redis } = server.current;
    await lapse(redis, 'flat', gone('a'));
    const up = async () => Number(/uptime_in_seconds:(\d+)/.exec(await redis.info('server'))?.[1]);
    await expect.poll(up).toBeGreaterThan(2);
    const { report } = await runWithPast(server.current, {
      settings: { restartGrace: true, minStaleAfter: '1s', staleAfter: '2s' },
    });
    expect(report.coordinators).toMatchObject({ stale: 1, lapsed: 1, swept: 1 });
    expect(await leftIn(redis)).toEqual([]);
  });
});
