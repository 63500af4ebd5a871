/** What a scheduled run sends that need not look, and when it must all the same. */
import { describe, expect, test } from 'vitest';
import type { Look } from '../../src/domain/horizon.ts';
import { type RestoreOptions, restore } from '../../src/restore/restore.ts';
import { targetOf } from '../support/cleanup.ts';
import { ledgerIn } from '../support/pastRuns.ts';
import { useRedis } from '../support/leaks.ts';
import { pastIn } from '../lapsed/scene.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { KeptHorizon, runScheduled, type Scheduled } from '../support/scheduled.ts';
import { beat, belongingsOf, everythingOf, heartbeatOf, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();

/** What any connection of a run sends before it is one. */
const CONNECTING = new Set(['hello', 'client|setinfo', 'client|setname', 'ping', 'info', 'auth', 'select']);

/** Commands that a server was sent while `act` lasted, with their number. */
async function sentTo({ redis }: TestRedis, act: () => Promise<unknown>): Promise<Record<string, number>> {
  await redis.config('RESETSTAT');
  await act();
  const stats = await redis.info('commandstats');
  const all = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [
    name,
    Number(calls),
  ]);
  return Object.fromEntries(all.filter(([name]) => !CONNECTING.has(String(name)) && name !== 'config|resetstat'));
}

/** A system of so many coordinators that beat, and a few that have been silent for so many seconds. */
async function settleAll(active: number, silences: readonly number[] = [], at = server.current): Promise<void> {
  const now = await nowOf(at.redis);
  const values: Record<string, string> = {};
  for (let n = 0; n < active; n++) {
    for (const key of everythingOf(`c${n}`)) values[key] = '1';
    values[heartbeatOf(`c${n}`)] = beat(now - (n % 30) * 1000);
  }
  await writeAll(at.redis, values);
  for (const [n, silence] of silences.entries()) await settle(at.redis, `d${n}`, silence);
}

const PLAIN = { suddenSilence: false, horizon: true };
function runner(settings: object = {}, url = server.current.url) {
  const horizons = new KeptHorizon();
  const target = targetOf(url, { ...PLAIN, ...settings });
  return {
    horizons,
    run: async (given: Partial<Scheduled> = {}) => await runScheduled({ target, horizons, ...given }),
  };
}

describe('a scheduled run', () => {
  test('sends nothing but TIME besides connecting while nobody can be stale, and reports that', async () => {
    await settleAll(300, [100]);
    const { run, horizons } = runner();
    expect(await run()).toMatchObject({ pass: 'full', coordinators: { checked: 301, active: 301 } });
    expect(horizons.standsNow?.listed.map(({ key }) => Buffer.from(key).toString())).toEqual([heartbeatOf('d0')]);
    const sent = await sentTo(server.current, async () => {
      const nothing = { checked: 0, active: 0, stale: 0, unreadable: 0, held: 0, protected: 0, swept: 0 };
      const report = await run();
      expect(report).toMatchObject({ outcome: 'completed', pass: 'none', coordinators: nothing, redis: { calls: 1 } });
      expect(report.silence).toEqual(Array.from({ length: 11 }, () => 0));
      expect(report.keys).toMatchObject({ found: 0, deleted: 0, orphans: null });
    });
    expect(sent).toEqual({ time: 1 });
  });

  test('reads those alone who are due, and goes on without them once they have beaten again', async () => {
    await settleAll(300, [500, 500, 300]);
    const { run, horizons } = runner();
    expect(await run()).toMatchObject({ pass: 'full', coordinators: { stale: 0, active: 303 } });
    const standing = horizons.standsNow;
    if (standing === null) throw new Error('a pass that leaves nobody stale leaves a horizon');
    // As if these seconds had passed.
    const listed = standing.listed.map((one) => ({ ...one, sinceSeconds: one.sinceSeconds - 150 }));
    await horizons.keep({ ...standing, listed });
    const now = await nowOf(server.current.redis);
    await server.current.redis.set(heartbeatOf('d0'), beat(now));
    await server.current.redis.unlink(heartbeatOf('d1'));
    const sent = await sentTo(server.current, async () => {
      expect(await run()).toMatchObject({ pass: 'due', outcome: 'completed', coordinators: { checked: 1, active: 1 } });
    });
    expect([sent.mget, sent.scan, sent.exists]).toEqual([1, undefined, 1]);
    expect(Object.keys(sent).filter((name) => /unlink|^del|^set|evalsha/.test(name))).toEqual([]);
    expect(horizons.standsNow?.listed.map(({ key }) => Buffer.from(key).toString())).toEqual([heartbeatOf('d2')]);
    expect(await run()).toMatchObject({ pass: 'none' });
  });

  test('where heartbeats expire, whoever it reads is known by that beat once the heartbeat is gone (P1, P11)', async () => {
    const { redis } = server.current;
    await settleAll(20, [590]);
    for (const name of await redis.keys('swarm:*:heartbeat:*')) await redis.expire(name, 3_000);
    const { run, horizons } = runner({ restartGrace: false });
    const seeing = () => ({ full: { sightings: pastIn(redis) }, gapSeconds: 60 });
    expect(await run(seeing())).toMatchObject({ pass: 'full', coordinators: { active: 21 } });
    const standing = horizons.standsNow;
    // As if these seconds had passed.
    const listed = standing?.listed.map((one) => ({ ...one, sinceSeconds: one.sinceSeconds - 150 })) ?? [];
    await horizons.keep(standing && { ...standing, listed });
    await redis.set(heartbeatOf('d0'), beat(await nowOf(redis)), 'EX', 3_000);
    await run(seeing());
    await redis.del(heartbeatOf('d0'));
    const report = await run({ ...seeing(), trigger: 'manual', staleAfterSeconds: 580 });
    expect(report).toMatchObject({ pass: 'full', coordinators: { active: 21, stale: 0 } });
    expect(await redis.exists(...belongingsOf('d0'))).toBe(belongingsOf('d0').length);
  });

  test('makes a full pass once one of those who are due is stale, and sweeps it', async () => {
    await settleAll(300, [300]);
    const { run, horizons } = runner();
    await run();
    const standing = horizons.standsNow;
    await settle(server.current.redis, 'd0', 700);
    await horizons.keep(
      standing && {
        ...standing,
        listed: standing.listed.map((one) => ({ ...one, sinceSeconds: one.sinceSeconds - 400 })),
      },
    );
    expect(await run()).toMatchObject({ pass: 'full', coordinators: { checked: 301, stale: 1, swept: 1 } });
    expect(await server.current.redis.exists(...everythingOf('d0'))).toBe(0);
    expect(await run()).toMatchObject({ pass: 'none' });
  });

  test.each<[string, object, (run: ReturnType<typeof runner>) => Promise<Partial<Scheduled>>]>([
    ['somebody asked for it', {}, async () => ({ trigger: 'manual' })],
    ['it ends what another attempt began', {}, async () => ({ carried: NOTHING })],
    ['the threshold is another one', {}, async () => ({ staleAfterSeconds: 700 })],
    ['a list has changed', {}, async () => ({ target: targetOf(server.current.url, { ...PLAIN, protect: ['x'] }) })],
    [
      'the schema has changed',
      {},
      async () => ({ target: targetOf(server.current.url, { ...PLAIN, schema: 'flat' }) }),
    ],
    [
      'horizons are switched off',
      {},
      async () => ({ target: targetOf(server.current.url, { ...PLAIN, horizon: false }) }),
    ],
    ['nobody keeps a horizon', {}, async () => ({ horizons: null })],
    [
      'there was an outage',
      {},
      async ({ horizons }) => {
        horizons.outageEndedAt = Date.now() + 60_000;
        return {};
      },
    ],
    [
      'heartbeats have begun to expire',
      {},
      async () => {
        for (let n = 0; n < 20; n++) await server.current.redis.expire(heartbeatOf(`c${n}`), 200);
        return {};
      },
    ],
    ['orphans are swept, and the next run comes too late', { orphans: ['ack'] }, async () => ({ gapSeconds: 601 })],
  ])('looks at everybody where %s', async (_, settings, change) => {
    await settleAll(20);
    const one = runner(settings);
    await one.run();
    expect((await one.run()).pass).toBe('none');
    const given = await change(one);
    expect((await one.run(given)).pass).toBe('full');
  });

  test.each<[string, readonly number[], object, number]>([
    ['somebody is left stale', [700], { mode: 'observe' }, 20],
    ['a guard refused the run', [700, 700], { maxStale: 1 }, 20],
    ['nobody is met who lives', [], {}, 0],
  ])('looks at everybody after a pass in which %s', async (_, silences, settings, active) => {
    await settleAll(active, silences);
    const { run, horizons } = runner(settings);
    await run();
    expect(horizons.standsNow).toBeNull();
    expect((await run()).pass).toBe('full');
  });

  test('looks at everybody where heartbeats live for no longer than until the next run', async () => {
    await settleAll(20);
    for (let n = 0; n < 20; n++) await server.current.redis.expire(heartbeatOf(`c${n}`), 200 + n);
    const { run, horizons } = runner();
    await run({ gapSeconds: 60 });
    expect(horizons.standsNow?.ttlSeconds).toBeGreaterThan(90);
    const looks: Look[] = [];
    const onLook = (look: Look) => void looks.push(look);
    expect((await run({ gapSeconds: 60, onLook })).pass).toBe('none');
    expect((await run({ gapSeconds: 200, onLook })).pass).toBe('full');
    expect(looks).toMatchObject([{ pass: 'none' }, { pass: 'full', why: expect.stringContaining('expire') }]);
  });

  test('knows that heartbeats expire where a single one of hundreds does', async () => {
    await settleAll(400);
    const { redis } = server.current;
    for (const n of [7, 150, 399]) {
      await redis.expire(heartbeatOf(`c${n}`), 200);
      const { run, horizons } = runner();
      await run();
      expect(horizons.standsNow).toMatchObject({ ttlSeconds: expect.any(Number), sighted: true });
      await redis.persist(heartbeatOf(`c${n}`));
    }
  });

  test('knows that heartbeats expire where a single one of thousands does, whichever that is (P11)', async () => {
    const { redis } = server.current;
    const now = await nowOf(redis);
    const names = Array.from({ length: 4_000 }, (_, n) => heartbeatOf(`c${n}`));
    await writeAll(redis, Object.fromEntries(names.map((name) => [name, beat(now)])));
    for (const name of [names[3], names[1_999], names[3_998]] as string[]) {
      await redis.expire(name, 200);
      const { run, horizons } = runner();
      await run();
      expect(horizons.standsNow).toMatchObject({ ttlSeconds: expect.any(Number), sighted: true });
      await redis.persist(name);
    }
  });

  test('goes on to look in their time for heartbeats that expire once one was seen, also after a run that was stopped (P11)', async () => {
    const { redis } = server.current;
    await settleAll(20);
    await redis.set(heartbeatOf('short'), beat(await nowOf(redis)), 'EX', 90);
    const { run, horizons } = runner();
    const full = { sightings: pastIn(redis) };
    await run({ full });
    await redis.del(heartbeatOf('short'));
    await settle(redis, 'd0', 700);
    expect(await run({ trigger: 'manual', full: { confirm: async () => false } })).toMatchObject({
      outcome: 'stopped',
    });
    expect((await run()).pass).toBe('full');
    expect(horizons.standsNow?.ttlSeconds).toBeLessThanOrEqual(90);
    expect((await run({ gapSeconds: 90 })).pass).toBe('full');
  });

  test("looks at everybody where heartbeats may live no longer, since their writers' clocks may be behind", async () => {
    await settleAll(0, [55, 55, 55]);
    for (let n = 0; n < 3; n++) await server.current.redis.expire(heartbeatOf(`d${n}`), 60);
    const { run } = runner();
    await run({ gapSeconds: 60 });
    expect((await run({ gapSeconds: 60 })).pass).toBe('full');
  });

  test('looks at everybody after somebody was given back with the heartbeat, and sweeps again who is still silent', async () => {
    await settleAll(20, [700]);
    const { run, horizons } = runner({ trash: '1h' });
    expect(await run()).toMatchObject({ pass: 'full', coordinators: { swept: 1 } });
    expect((await run()).pass).toBe('none');
    const ledger = {
      find: async () => ({ swept: [], damaged: 0 }),
      noteRestored: async () => {},
      horizonsOf: () => horizons,
      sightingsOf: (of: ReturnType<typeof targetOf>) => ledgerIn(server.current.redis).sightingsOf(of),
    };
    const giveBack = async (options: RestoreOptions) =>
      await restore(targetOf(server.current.url), { run: 'test-run' }, { ...options, ledger } as RestoreOptions);
    await giveBack({ dryRun: true, heartbeats: true });
    await giveBack({});
    expect((await run()).pass).toBe('none');
    expect((await giveBack({ heartbeats: true })).restored).toBe(1);
    expect(await run()).toMatchObject({ pass: 'full', coordinators: { swept: 1 } });
  });

  test('looks at everybody once the database was filled with old data, also where the pass before has swept as much', async () => {
    await settleAll(20, [100]);
    const { run } = runner();
    await run();
    expect((await run()).pass).toBe('none');
    const imported = Array.from({ length: 40 }, (_, n) => 700 + n);
    for (let round = 0; round < 2; round++) {
      await settleAll(20, imported);
      expect(await run()).toMatchObject({ pass: 'full', coordinators: { swept: 40 } });
      expect((await run()).pass).toBe('none');
    }
  });

  test.each([{}, { trash: '1h' }])(
    'goes by what the last pass left, not by what there was before it swept, with %o',
    async (settings) => {
      const { redis } = server.current;
      await settleAll(20, new Array(40).fill(700));
      for (let n = 0; n < 40; n++) for (const key of belongingsOf(`d${n}`)) await redis.expire(key, 3_600);
      const { run } = runner(settings);
      expect(await run()).toMatchObject({ pass: 'full', coordinators: { swept: 40 } });
      expect((await run()).pass).toBe('none');
      if ('trash' in settings) return;
      for (let n = 0; n < 5; n++) await redis.expire(heartbeatOf(`c${n}`), 200);
      expect((await run()).pass).toBe('full');
    },
  );

  test('looks at everybody once another server answers at the address', async () => {
    const first = await startRedis();
    await settleAll(20, [], first);
    const { run, horizons } = runner({ restartGrace: false }, first.url);
    await run();
    expect((await run()).pass).toBe('none');
    await first.stop();
    const second = await startRedis([], first.port);
    try {
      await settleAll(20, [700], second);
      expect(await run()).toMatchObject({ pass: 'full', coordinators: { swept: 1 } });
      // As after a failover: the same process, of another history.
      await second.redis.replicaof('127.0.0.1', 1);
      await second.redis.replicaof('NO', 'ONE');
      expect((await run()).pass).toBe('full');
      expect((await run()).pass).toBe('none');
      expect(horizons.standsNow?.listed).toEqual([]);
    } finally {
      await second.stop();
    }
  });
});

const NOTHING = {
  swept: 0,
  lapsed: 0,
  deletedByFamily: [],
  chunks: 0,
  calls: 0,
  slowestCallMs: 0,
  memoryFreedBytes: 0,
};
