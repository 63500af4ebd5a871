/** soak: what a run of a cluster does whose passes are gone, as where memory is full and what expires soonest goes first. It takes 15 s to
 *  give up what waits for one, of which it is idle for nearly all.
 */
import { expect, test } from 'vitest';
import { cleanCluster, isMarker, settleIn, useCluster } from '../../support/cluster.ts';
import { ACTIVE, beat, heartbeatOf, STALE } from '../../support/world.ts';

const place = useCluster();
const IDS = Array.from({ length: 30 }, (_, i) => `c${i}`);

test('a run that meets no pass gives up what waits for it, and does all the same: who beats meanwhile stays whole (P1, P3)', async () => {
  const cluster = place.current;
  for (const id of IDS) await settleIn(cluster, id, STALE);
  const kept = await settleIn(cluster, 'lives', ACTIVE);
  const back = await settleIn(cluster, 'back', STALE);
  let passes: string[] | null = null;
  const report = await cleanCluster(cluster, {
    mostInBurst: 500,
    before: async (call) => {
      if (call !== 'renamenx' || passes !== null) return;
      passes = [];
      passes = (await cluster.keys()).filter((key) => key.startsWith('stalesweep:aside-pass:'));
      for (const pass of passes) await cluster.redis.unlink(pass);
      await cluster.redis.set(heartbeatOf('back'), beat(Date.now(), 'back'));
    },
  });
  expect(passes).not.toEqual([]);
  expect(passes).not.toBeNull();
  expect(report.outcome).toBe('completed');
  expect(report.coordinators).toMatchObject({ active: 1, stale: IDS.length + 1, swept: IDS.length, revived: 1 });
  expect((await cluster.keys()).filter((key) => !isMarker(key)).sort()).toEqual([...kept, ...back].sort());
});
