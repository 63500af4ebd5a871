import { describe, expect, test } from 'vitest';
import { markerKeys } from '../../src/redis/cluster/aside/names.ts';
import { readTrashName } from '../../src/redis/trash/names.ts';
import { examine } from '../../src/cli/examine/doctor.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { restore } from '../../src/restore/restore.ts';
import { targetOf } from '../support/cleanup.ts';
import { cleanCluster, isMarker, settleIn, useCluster } from '../support/cluster.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, beat, everythingOf, heartbeatOf, STALE } from '../support/world.ts';

const queue = useRedis();
const place = useCluster();
const settings = { trash: '1h' };
function target() {
  return targetOf(place.current.url, settings);
}
const WHOLE = { heartbeats: true };

function pick(below: number) {
  return Math.floor(Math.random() * below);
}
/** Ids whose names share a slot, and names that Redis Cluster reads in ways of its own. */
const IDS = ['c', '{tag}', '{}', 'a}b', '{', 'ü'];
function idOf(nth: number) {
  return `${IDS[nth % IDS.length]}${nth}`;
}

/** Something of any type in the place of a string. */
async function writeAny(key: string): Promise<void> {
  const { redis } = place.current;
  const value = `${Math.random()}`;
  await redis.del(key);
  const ways = [
    () => redis.set(key, value),
    () => redis.hset(key, { [value]: value, b: '2' }),
    () => redis.sadd(key, value, 'b'),
    () => redis.zadd(key, 1, value, 2, 'b'),
    () => redis.rpush(key, value, 'b'),
    () => redis.xadd(key, '1-1', 'a', value),
  ] as const;
  await ways[pick(ways.length)]?.();
}

/** Many who are stale, with things of all types, some of which expire; resolves to their names. */
async function settleMany(count: number): Promise<string[]> {
  const all = await Promise.all(
    Array.from({ length: count }, async (_, nth) => {
      const id = idOf(nth);
      const more = [`blocking:idempotency:${id}:${idOf((nth + 1) % count)}:done:1:${nth}`, `blocking:ack:${id}:}x{`];
      const keys = await settleIn(place.current, id, STALE, { more });
      for (const key of keys.slice(1)) if (pick(2) === 0) await writeAny(key);
      // Whoever can expire lives for longer than the test takes.
      for (const key of keys) if (pick(2) === 0) await place.current.redis.pexpire(key, 500_000 + pick(5_000_000));
      return keys;
    }),
  );
  return all.flat();
}

interface Kept {
  readonly dump: string;
  readonly expiresAt: number;
}

async function contents(keys: readonly string[]): Promise<Map<string, Kept>> {
  const { redis } = place.current;
  const kept = keys.map(async (key): Promise<[string, Kept]> => {
    const dump = await redis.dumpBuffer(key);
    return [key, { dump: dump?.toString('latin1') ?? 'gone', expiresAt: await redis.pexpiretime(key) }];
  });
  return new Map(await Promise.all(kept));
}

/** What differs, but for a second of their times to live. */
function differencesIn(before: ReadonlyMap<string, Kept>, after: ReadonlyMap<string, Kept>): readonly string[] {
  return [...before].flatMap(([key, { dump, expiresAt }]) => {
    const now = after.get(key);
    const isSame = now?.dump === dump && Math.abs(now.expiresAt - expiresAt) < 1_000;
    return isSame && now.expiresAt < 0 === expiresAt < 0 ? [] : [key];
  });
}

/** As if those who said that something may be aside had done so minutes ago. */
async function ageWords(): Promise<void> {
  const { redis } = place.current;
  for (const key of (await place.current.keys()).filter(isMarker)) {
    const words = await redis.smembers(key);
    await redis.sadd(key, ...words.map((word) => word.replace(/^\d+/, (second) => `${Number(second) - 300}`)));
    await redis.srem(key, ...words);
  }
}

function trashed(keys: readonly string[]) {
  return keys.flatMap((key) => readTrashName(Buffer.from(key))?.name.toString() ?? []);
}
async function own() {
  return (await place.current.keys()).filter((key) => !key.startsWith('stalesweep:'));
}

describe('what a run takes from a cluster', () => {
  test('lies in the trash, and all of it comes back as it was, wherever it lies', async () => {
    const living = await settleIn(place.current, 'living', ACTIVE);
    const keys = await settleMany(30);
    const before = await contents([...keys, ...living]);
    const report = await cleanCluster(place.current, { settings });
    expect(report).toMatchObject({
      outcome: 'completed',
      strategy: 'cluster',
      coordinators: { stale: 30, swept: 30 },
      keys: { deleted: keys.length, trashed: keys.length },
    });
    expect(await own()).toEqual([...living].sort());
    const there = await place.current.keys();
    expect(trashed(there).sort()).toEqual([...keys].sort());
    for (const key of there.filter((one) => one.startsWith('stalesweep:'))) {
      const left = await place.current.redis.pttl(key);
      expect(left, key).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(3_600_000);
    }
    const dry = await restore(target(), { run: 'test-run' }, { ...WHOLE, dryRun: true });
    expect(dry).toEqual({ restored: keys.length, heartbeats: 30, existing: [], expired: 0 });
    expect(await own()).toEqual([...living].sort());

    const one = idOf(pick(30));
    const ofOne = await restore(target(), { coordinator: Buffer.from(one) }, WHOLE);
    expect(ofOne.heartbeats).toBe(1);
    expect(await own()).toEqual(expect.arrayContaining(everythingOf(one)));
    expect(await restore(target(), { run: 'test-run' }, WHOLE)).toMatchObject({
      restored: keys.length - ofOne.restored,
      existing: [],
      expired: 0,
    });
    expect(differencesIn(before, await contents([...before.keys()]))).toEqual([]);
    // Times to live are noted for as long as the trash is kept.
    expect((await place.current.keys()).filter((key) => trashed([key]).length > 0)).toEqual([]);
  });

  test('stays there where its name exists again, and is named; who is back before it keeps what is new', async () => {
    const keys = await settleMany(12);
    await cleanCluster(place.current, { settings });
    const again = keys.filter(() => pick(3) === 0);
    for (const key of again) await place.current.redis.set(key, 'new');
    const done = await restore(target(), { run: 'test-run' }, WHOLE);
    expect([...done.existing].sort()).toEqual([...again].sort());
    expect(done.restored).toBe(keys.length - again.length);
    for (const key of again) expect(await place.current.redis.get(key)).toBe('new');
    expect(trashed(await place.current.keys()).sort()).toEqual([...again].sort());
  });

  test('whose own time to live is over by now does not come back', async () => {
    const keys = await settleIn(place.current, 'c', STALE);
    const [, signal = '', ack = ''] = keys;
    await place.current.redis.pexpire(signal, 30_000);
    await place.current.redis.pexpire(ack, 2_000_000);
    await cleanCluster(place.current, { settings });
    // As if so much time had passed.
    for (const key of await place.current.keys()) {
      await place.current.redis.pexpire(key, (await place.current.redis.pttl(key)) - 1_000_000);
    }
    expect(await restore(target(), { run: 'test-run' }, WHOLE)).toMatchObject({
      restored: keys.length - 1,
      existing: [],
      expired: 1,
    });
    expect(await place.current.redis.exists(signal)).toBe(0);
    expect(await place.current.redis.pttl(ack)).toBeGreaterThan(990_000);
    expect(await place.current.redis.pttl(ack)).toBeLessThanOrEqual(1_000_000);
  });

  test('was nobody’s who beats again while it goes (P1), at whichever call that is', async () => {
    for (const [name, when] of [
      ['mget', 'before'],
      ['renamenx', 'after'],
      ['evalsha', 'before'],
    ] as const) {
      await place.current.flush();
      const ids = Array.from({ length: 6 }, (_, i) => `c${i}`);
      const all = await Promise.all(ids.map(async (id) => await settleIn(place.current, id, STALE)));
      const one = ids[pick(6)] as string;
      const nth = 1 + pick(6);
      let count = 0;
      const report = await cleanCluster(place.current, {
        settings,
        [when]: async (call: string) => {
          if (call !== name || ++count !== nth) return;
          await place.current.redis.set(heartbeatOf(one), beat(Date.now() - ACTIVE, one));
        },
      });
      expect(count).toBeGreaterThanOrEqual(nth);
      const left = await own();
      const { swept, revived, active } = report.coordinators;
      expect(swept + revived + active).toBe(6);
      expect((await place.current.keys()).filter((key) => key.startsWith('stalesweep:aside'))).toEqual([]);
      // Whole, or swept by then and begun anew; and what is not there lies in the trash.
      expect(left.length === 1 || left.length === (all[0] as string[]).length).toBe(true);
      expect(left).toContain(heartbeatOf(one));
      expect(new Set([...left, ...trashed(await place.current.keys())])).toEqual(new Set(all.flat()));
      const back = await restore(target(), { coordinator: Buffer.from(one) }, WHOLE);
      expect(await own()).toEqual([...everythingOf(one)].sort());
      expect(back.existing.filter((key) => key !== heartbeatOf(one))).toEqual([]);
    }
  });

  test('by a run that is killed is put back or lies in the trash, and the next run and a restore bring all of it', async () => {
    const keys = await settleMany(20);
    const before = await contents(keys);
    let calls = 0;
    const moment = 1 + pick(keys.length);
    const killed = cleanCluster(place.current, {
      settings,
      run: 'first',
      before: (name) => {
        // From then on nothing is sent any more, as by a process that was killed.
        if (['renamenx', 'evalsha', 'sadd', 'srem'].includes(name) && ++calls > moment) throw new Error('killed');
      },
    });
    await expect(killed).rejects.toThrow('killed');
    await ageWords();
    await cleanCluster(place.current, { settings, run: 'second' });
    expect((await place.current.keys()).filter((key) => !isMarker(key) && trashed([key]).length === 0)).toEqual(
      (await place.current.keys()).filter((key) => key.startsWith('stalesweep:trash-ttl:')),
    );
    const [first, second] = [
      await restore(target(), { run: 'first' }, WHOLE),
      await restore(target(), { run: 'second' }, WHOLE),
    ];
    expect(first.restored + second.restored).toBe(keys.length);
    expect(differencesIn(before, await contents(keys))).toEqual([]);
  });
});

describe('a restore while a run takes the same things out of sight (P1)', () => {
  test('waits until nothing is aside: no older thing takes a name of which a later one is to be put back', async () => {
    const keys = await settleIn(place.current, 'c', STALE);
    const [heartbeat = '', ...things] = keys;
    for (const key of things) await place.current.redis.set(key, 'older');
    await cleanCluster(place.current, { settings, run: 'first' });
    await settleIn(place.current, 'c', STALE);
    for (const key of things) await place.current.redis.set(key, 'later');
    const moment = 1 + pick(things.length);
    let calls = 0;
    let restoring: Promise<unknown> | null = null;
    const report = await cleanCluster(place.current, {
      settings,
      run: 'second',
      after: async (name) => {
        if (name !== 'renamenx' || ++calls !== moment) return;
        restoring = restore(target(), { run: 'first' });
        // Long enough for it to have come by now, did it not wait; it beats again before it is read once more.
        await expect.poll(async () => (await words()).some((word) => word.endsWith(':restore'))).toBe(true);
        await place.current.redis.set(heartbeat, beat(Date.now(), 'c'));
      },
    });
    expect(report.coordinators).toMatchObject({ swept: 0, revived: 1 });
    expect(await restoring).toMatchObject({ restored: 0, existing: expect.arrayContaining(things) });
    for (const key of things) expect(await place.current.redis.get(key), key).toBe('later');
    expect((await place.current.keys()).filter((key) => key.startsWith('stalesweep:aside'))).toEqual([]);
  });

  test('and until the heartbeats have gone, too: else what is back would be nobody’s (P3)', async () => {
    const ids = Array.from({ length: 6 }, (_, i) => `c${i}`);
    const keys = (await Promise.all(ids.map(async (id) => await settleIn(place.current, id, STALE)))).flat();
    const before = await contents(keys);
    let restoring: Promise<unknown> | null = null;
    await cleanCluster(place.current, {
      settings,
      after: async () => {
        const gone = trashed(await place.current.keys()).length;
        if (restoring !== null || gone < keys.length - 6) return;
        restoring = restore(target(), { run: 'test-run' }, WHOLE);
        await expect.poll(async () => (await words()).some((word) => word.endsWith(':restore'))).toBe(true);
      },
    });
    expect(await restoring).toMatchObject({ restored: keys.length, heartbeats: 6 });
    expect(differencesIn(before, await contents(keys))).toEqual([]);
  });

  test('and a run that would take things meanwhile waits for its end', async () => {
    const keys = await settleIn(place.current, 'c', STALE);
    const second = Number((await place.current.nodes[0]?.redis.time())?.[0]);
    // Another run was killed before, which has this one look for what that left.
    const words = [`${second}:somebody:restore`, '1:killed'];
    for (const key of markerKeys()) await place.current.redis.sadd(key, ...words);
    let said = 0;
    const report = await cleanCluster(place.current, {
      settings,
      after: async (name) => {
        // It says a word of its own, sees the other, and takes its own back: the third time the other is gone.
        if (name !== 'sadd' || ++said !== 2 * markerKeys().length + 1) return;
        expect(await own()).toHaveLength(keys.length);
        for (const key of markerKeys()) await place.current.redis.srem(key, `${second}:somebody:restore`);
      },
    });
    expect(said).toBeGreaterThan(2 * markerKeys().length);
    expect(report.coordinators.swept).toBe(1);
    expect((await place.current.keys()).filter(isMarker)).toEqual([]);
  });
});

async function words(): Promise<string[]> {
  const all = await Promise.all(markerKeys().map(async (key) => await place.current.redis.smembers(key)));
  return all.flat();
}

describe('doctor', () => {
  test('says what the trash of all primaries holds, and which rights are enough to fill and to empty it', async () => {
    for (const announce of [{ channel: 'swept' }, { stream: 'swept' }]) {
      await place.current.flush();
      const keys = (
        await Promise.all(['a', '{b}', 'c'].map(async (id) => await settleIn(place.current, id, STALE)))
      ).flat();
      const both = { ...settings, announce };
      const config = resolveConfig(
        {},
        { REDIS_URL: place.current.url, QUEUE_REDIS_URL: queue.current.url },
        { name: 'test.yaml', text: JSON.stringify(both) },
      );
      const examined = async () => await examine(config, [...config.targets.values()]);
      const [line] = (await examined()).flatMap(({ check, message }) =>
        check === 'acl' && message.startsWith('runs by script') ? [message] : [],
      );
      const rights = line?.split(' ').slice(line.split(' ').indexOf('on') + 2) ?? [];
      for (const { redis } of place.current.nodes)
        await redis.call('ACL', 'SETUSER', 'cleaner', 'reset', 'on', '>pw', ...rights);
      const url = place.current.url.replace('//', '//cleaner:pw@');
      const report = await cleanCluster({ ...place.current, url }, { settings: both });
      expect(report.keys).toMatchObject({ deleted: keys.length, trashed: keys.length });
      const said = (await examined()).filter(({ check }) => check === 'trash');
      expect(said.map(({ message }) => message)).toEqual([expect.stringMatching(`^${keys.length} keys, about `)]);
      const back = await restore(targetOf(url, both), { run: 'test-run' }, WHOLE);
      expect(back.restored).toBe(keys.length);
      for (const { redis } of place.current.nodes) await redis.call('ACL', 'DELUSER', 'cleaner');
    }
  });
});
