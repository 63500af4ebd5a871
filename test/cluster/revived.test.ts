import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CallHooks } from '../support/cleanup.ts';
import { cleanCluster, expectNoClusterLeaks, startCluster, type TestCluster } from '../support/cluster.ts';
import { ACTIVE, beat, everythingOf, heartbeatOf, STALE } from '../support/world.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster();
});
beforeEach(async () => await cluster.flush());
afterEach(async () => await expectNoClusterLeaks(cluster));
afterAll(async () => await cluster.stop());

async function settle(id: string, silentSeconds: number): Promise<string[]> {
  // Well away from the threshold, or the second may turn.
  const at = Date.now() - (silentSeconds + 5) * 1000;
  const keys = [...everythingOf(id), `blocking:idempotency:${id}:other:done:1`];
  await Promise.all(keys.map(async (key, i) => await cluster.redis.set(key, i === 0 ? beat(at, id) : id)));
  return keys;
}

const revive = async (id: string) => await cluster.redis.set(heartbeatOf(id), beat(Date.now() - ACTIVE, id));

/** Calls of these scripts and commands, counted from 1; `what` is done once, before or after the nth of them. */
function once(name: string, nth: number, when: 'before' | 'after', what: () => Promise<unknown>): CallHooks {
  let count = 0;
  return {
    [when]: async (call: string) => {
      if (call === name && ++count === nth) await what();
    },
  };
}

describe('who beats again while a cluster is swept loses nothing (P1)', () => {
  /** At which of the calls that read heartbeats, or set things aside, remove them for good, it happens. */
  const moments = [
    ['mget', 'before'],
    ['mget', 'after'],
    ['evalsha', 'before'],
    ['evalsha', 'after'],
    ['unlink', 'before'],
  ] as const;

  test.each(moments)('whichever %s it is that it beats %s', async (name, when) => {
    let fell = 0;
    for (let nth = 1; nth < 40; nth += 1 + Math.floor(Math.random() * 3)) {
      await cluster.flush();
      const ids = Array.from({ length: 8 }, (_, i) => `c${i}`);
      const keys = new Map<string, string[]>();
      for (const id of ids) keys.set(id, await settle(id, STALE));
      const one = ids[Math.floor(Math.random() * ids.length)] as string;
      let came = false;
      let missing: string[] | null = null;
      const hooks = once(name, nth, when, async () => {
        // Before that it is nobody's fault what is gone.
        await revive(one);
        came = true;
        const there = new Set(await cluster.keys());
        missing = (keys.get(one) ?? []).filter((key) => !there.has(key));
      });
      const report = await cleanCluster(cluster, hooks);
      const left = await cluster.keys();
      expect(left.filter((key) => key.startsWith('stalesweep:'))).toEqual([]);
      if (!came) break;
      const { swept, revived, stale } = report.coordinators;
      expect(swept + revived).toBe(stale);
      if (left.length === (keys.get(one) ?? []).length) {
        expect(left).toEqual([...(keys.get(one) ?? [])].sort());
        fell++;
      } else {
        // It had been swept by then, all of it but the heartbeat: it began anew.
        expect(left).toEqual([heartbeatOf(one)]);
        expect(missing).not.toBeNull();
        expect(missing).toHaveLength((keys.get(one) ?? []).length - 1);
      }
    }
    // Once everything is aside and was seen to be stale, it comes too late.
    if (name !== 'unlink') expect(fell).toBeGreaterThan(0);
  });
});
