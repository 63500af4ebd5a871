import { describe, expect, test } from 'vitest';
import { markerKeys } from '../../src/redis/cluster/aside/names.ts';
import { restore } from '../../src/restore/restore.ts';
import { targetOf } from '../support/cleanup.ts';
import { cleanCluster, isMarker, settleIn, useCluster } from '../support/cluster.ts';
import { beat, STALE } from '../support/world.ts';
import { contents, differencesIn, own, pick, trashed, words } from './clusterThings.ts';

const place = useCluster();
const settings = { trash: '1h' };
function target() {
  return targetOf(place.current.url, settings);
}
const WHOLE = { heartbeats: true };

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
        await expect
          .poll(async () => (await words(place.current)).some((word) => word.endsWith(':restore')))
          .toBe(true);
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
    const before = await contents(place.current, keys);
    let restoring: Promise<unknown> | null = null;
    await cleanCluster(place.current, {
      settings,
      after: async () => {
        const gone = trashed(await place.current.keys()).length;
        if (restoring !== null || gone < keys.length - 6) return;
        restoring = restore(target(), { run: 'test-run' }, WHOLE);
        await expect
          .poll(async () => (await words(place.current)).some((word) => word.endsWith(':restore')))
          .toBe(true);
      },
    });
    expect(await restoring).toMatchObject({ restored: keys.length, heartbeats: 6 });
    expect(differencesIn(before, await contents(place.current, keys))).toEqual([]);
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
        if (!name.startsWith('eval') || ++said !== 2 * markerKeys().length + 1) return;
        expect(await own(place.current)).toHaveLength(keys.length);
        for (const key of markerKeys()) await place.current.redis.srem(key, `${second}:somebody:restore`);
      },
    });
    expect(said).toBeGreaterThan(2 * markerKeys().length);
    expect(report.coordinators.swept).toBe(1);
    expect((await place.current.keys()).filter(isMarker)).toEqual([]);
  });
});
