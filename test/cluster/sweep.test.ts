import { describe, expect, test } from 'vitest';
import type { Ahead } from '../../src/cleanup/guards/ahead.ts';
import { cleanCluster, settleIn, useCluster } from '../support/cluster.ts';
import { ACTIVE, STALE } from '../support/world.ts';

const place = useCluster();

describe('a cluster of three', () => {
  test('loses all of the stale, and nothing else', async () => {
    const kept: string[] = ['other'];
    await place.current.redis.set('other', '1');
    for (let i = 0; i < 60; i++) {
      const keys = await settleIn(place.current, `c${i}`, i % 4 === 0 ? ACTIVE : STALE, { swarm: `s${i % 7}` });
      if (i % 4 === 0) kept.push(...keys);
    }
    const before = await place.current.size();
    let estimate: number | undefined;
    const confirm = async ({ memoryEstimateBytes }: Ahead) => {
      estimate = memoryEstimateBytes;
      return true;
    };
    const report = await cleanCluster(place.current, { confirm });
    // Whoever is asked first is told what would be freed, wherever it lies.
    expect(estimate).toBeGreaterThan((before - kept.length) * 30);
    expect(await place.current.keys()).toEqual(kept.sort());
    expect(report).toMatchObject({
      outcome: 'completed',
      strategy: 'cluster',
      coordinators: { checked: 60, active: 15, stale: 45, swept: 45, revived: 0 },
    });
    expect(report.keys.deleted).toBe(before - kept.length);
  });

  test.each([{}, { announce: { channel: 'swept' } }, { announce: { stream: 'swept' } }])(
    'sweeps where memory is full, with %o: who frees it needs none first',
    async (more) => {
      const settings = { ...more, trash: Math.random() < 0.5 ? '0s' : '1h' };
      for (const id of ['a', 'b', '{c}']) await settleIn(place.current, id, STALE);
      const limit = async (bytes: number) => {
        for (const { redis } of place.current.nodes) await redis.config('SET', 'maxmemory', bytes);
      };
      await limit(1);
      try {
        const { coordinators } = await cleanCluster(place.current, { settings });
        expect(coordinators).toMatchObject({ stale: 3, swept: 3 });
      } finally {
        await limit(0);
      }
    },
  );
});
