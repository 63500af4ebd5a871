import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cleanCluster, expectNoClusterLeaks, startCluster, type TestCluster } from '../support/cluster.ts';
import { ACTIVE, everythingOf, STALE, beat } from '../support/world.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster();
});
beforeEach(async () => await cluster.flush());
afterEach(async () => await expectNoClusterLeaks(cluster));
afterAll(async () => await cluster.stop());

async function settle(id: string, silentSeconds: number, swarm = 's1'): Promise<string[]> {
  const keys = everythingOf(id, swarm);
  // Well away from the threshold, or the second may turn.
  const at = Date.now() - (silentSeconds + 5) * 1000;
  await Promise.all(keys.map(async (key, i) => await cluster.redis.set(key, i === 0 ? beat(at, id) : '1')));
  return keys;
}

describe('a cluster of three', () => {
  test('loses all of the stale, and nothing else', async () => {
    const kept: string[] = ['other'];
    await cluster.redis.set('other', '1');
    for (let i = 0; i < 60; i++) {
      const keys = await settle(`c${i}`, i % 4 === 0 ? ACTIVE : STALE, `s${i % 7}`);
      if (i % 4 === 0) kept.push(...keys);
    }
    const before = await cluster.size();
    const report = await cleanCluster(cluster);
    expect(await cluster.keys()).toEqual(kept.sort());
    expect(report).toMatchObject({
      outcome: 'completed',
      strategy: 'cluster',
      coordinators: { checked: 60, active: 15, stale: 45, swept: 45, revived: 0 },
    });
    expect(report.keys.deleted).toBe(before - kept.length);
  });
});
