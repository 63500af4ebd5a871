import { describe, expect, test } from 'vitest';
import { restore } from '../../src/restore/restore.ts';
import { examine } from '../../src/cli/examine/doctor.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { targetOf } from '../support/cleanup.ts';
import { ageWords, cleanCluster, isMarker, settleIn, useCluster } from '../support/cluster.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, beat, everythingOf, heartbeatOf, STALE } from '../support/world.ts';
import { contents, differencesIn, idOf, own, pick, settleMany, trashed } from './clusterThings.ts';

const queue = useRedis();
const place = useCluster();
const settings = { trash: '1h' };
function target() {
  return targetOf(place.current.url, settings);
}
const WHOLE = { heartbeats: true };

describe('what a run takes from a cluster', () => {
  test('lies in the trash, and all of it comes back as it was, wherever it lies', async () => {
    const living = await settleIn(place.current, 'living', ACTIVE);
    const keys = await settleMany(place.current, 30);
    const before = await contents(place.current, [...keys, ...living]);
    const report = await cleanCluster(place.current, { settings });
    expect(report).toMatchObject({
      outcome: 'completed',
      strategy: 'cluster',
      coordinators: { stale: 30, swept: 30 },
      keys: { deleted: keys.length, trashed: keys.length },
    });
    expect(await own(place.current)).toEqual([...living].sort());
    const there = await place.current.keys();
    expect(trashed(there).sort()).toEqual([...keys].sort());
    for (const key of there.filter((one) => one.startsWith('stalesweep:'))) {
      const left = await place.current.redis.pttl(key);
      expect(left, key).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(3_600_000);
    }
    const dry = await restore(target(), { run: 'test-run' }, { ...WHOLE, dryRun: true });
    expect(dry).toEqual({ restored: keys.length, heartbeats: 30, existing: [], expired: 0 });
    expect(await own(place.current)).toEqual([...living].sort());

    const one = idOf(pick(30));
    const warned: string[] = [];
    const warn = (said: string) => void warned.push(said);
    const ofOne = await restore(target(), { coordinator: Buffer.from(one) }, { ...WHOLE, warn });
    expect(ofOne.heartbeats).toBe(1);
    expect(await own(place.current)).toEqual(expect.arrayContaining(everythingOf(one)));
    expect(await restore(target(), { run: 'test-run' }, { ...WHOLE, warn })).toMatchObject({
      restored: keys.length - ofOne.restored,
      existing: [],
      expired: 0,
    });
    expect(warned, 'what time to live each had is known, also where none had any').toEqual([]);
    expect(differencesIn(before, await contents(place.current, [...before.keys()]))).toEqual([]);
    // Times to live are noted for as long as the trash is kept.
    expect((await place.current.keys()).filter((key) => trashed([key]).length > 0)).toEqual([]);
  });

  test('stays there where its name exists again, and is named; who is back before it keeps what is new', async () => {
    const keys = await settleMany(place.current, 12);
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
      const left = await own(place.current);
      const { swept, revived, active } = report.coordinators;
      expect(swept + revived + active).toBe(6);
      expect((await place.current.keys()).filter((key) => key.startsWith('stalesweep:aside'))).toEqual([]);
      // Whole, or swept by then and begun anew; and what is not there lies in the trash.
      expect(left.length === 1 || left.length === (all[0] as string[]).length).toBe(true);
      expect(left).toContain(heartbeatOf(one));
      expect(new Set([...left, ...trashed(await place.current.keys())])).toEqual(new Set(all.flat()));
      const back = await restore(target(), { coordinator: Buffer.from(one) }, WHOLE);
      expect(await own(place.current)).toEqual([...everythingOf(one)].sort());
      expect(back.existing.filter((key) => key !== heartbeatOf(one))).toEqual([]);
    }
  });

  test('by a run that is killed is put back or lies in the trash, and the next run and a restore bring all of it', async () => {
    const keys = await settleMany(place.current, 20);
    const before = await contents(place.current, keys);
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
    await ageWords(place.current);
    await cleanCluster(place.current, { settings, run: 'second' });
    expect((await place.current.keys()).filter((key) => !isMarker(key) && trashed([key]).length === 0)).toEqual(
      (await place.current.keys()).filter((key) => key.startsWith('stalesweep:trash-ttl:')),
    );
    const [first, second] = [
      await restore(target(), { run: 'first' }, WHOLE),
      await restore(target(), { run: 'second' }, WHOLE),
    ];
    expect(first.restored + second.restored).toBe(keys.length);
    expect(differencesIn(before, await contents(place.current, keys))).toEqual([]);
  });
});

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
