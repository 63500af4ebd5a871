import { describe, expect, test } from 'vitest';
import { cleanCluster, isMarker, settleIn, useCluster } from '../support/cluster.ts';
import { ACTIVE, STALE } from '../support/world.ts';

const place = useCluster();

/** Cuts the runs' connections to one of the nodes. */
async function cut(): Promise<void> {
  const { nodes } = place.current;
  const { redis } = nodes[Math.floor(Math.random() * nodes.length)] as (typeof nodes)[0];
  const clients = String(await redis.call('CLIENT', 'LIST')).split('\n');
  for (const client of clients) {
    const [, id] = /^id=(\d+) .* name=stalesweep /.exec(client) ?? [];
    if (id !== undefined) await redis.call('CLIENT', 'KILL', 'ID', id);
  }
}

async function settleMany(): Promise<string[]> {
  const kept: string[] = [];
  const settled = Array.from({ length: 60 }, async (_, i) => {
    const keys = await settleIn(place.current, `c${i}`, i % 3 === 0 ? ACTIVE : STALE);
    if (i % 3 === 0) kept.push(...keys);
  });
  await Promise.all(settled);
  return kept.sort();
}

async function left() {
  return (await place.current.keys()).filter((key) => !isMarker(key));
}

describe('a connection that is cut in the midst of what goes to many slots at once', () => {
  test.each(['mget', 'renamenx', 'unlink', 'evalsha'])(
    'whichever %s it is: all of the stale go, and nothing else (P1)',
    async (name) => {
      for (let round = 0; round < 2; round++) {
        const nth = 1 + Math.floor(Math.random() * 8);
        await place.current.flush();
        const kept = await settleMany();
        let count = 0;
        const cuts: Promise<void>[] = [];
        const report = await cleanCluster(place.current, {
          mostInBurst: 1 + Math.floor(Math.random() * 40),
          before: (call) => {
            // Not awaited: it falls into the midst.
            if (call === name && ++count === nth) cuts.push(cut());
          },
        });
        await Promise.all(cuts);
        expect(report).toMatchObject({ outcome: 'completed', coordinators: { stale: 40, swept: 40, active: 20 } });
        expect(await left()).toEqual(kept);
      }
    },
  );

  test('may yet set something aside when the run has ended: so that stays said, for the next one to look', async () => {
    for (const name of ['renamenx', 'unlink']) {
      await place.current.flush();
      const kept = await settleMany();
      let isCut = false;
      await cleanCluster(place.current, {
        mostInBurst: 500,
        before: async (call) => {
          if (call !== name || isCut) return;
          isCut = true;
          for (let n = 0; n < 20; n++) await cut();
        },
      });
      expect(isCut).toBe(true);
      expect(await left()).toEqual(kept);
      expect((await place.current.keys()).some(isMarker)).toBe(name === 'renamenx');
    }
  });
});
