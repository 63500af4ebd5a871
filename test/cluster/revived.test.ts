import { describe, expect, test } from 'vitest';
import type { CallHooks } from '../support/cleanup.ts';
import { cleanCluster, settleIn, useCluster } from '../support/cluster.ts';
import { ACTIVE, beat, heartbeatOf, STALE } from '../support/world.ts';

const place = useCluster();

const revive = async (id: string) => await place.current.redis.set(heartbeatOf(id), beat(Date.now() - ACTIVE, id));

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
  /** At which of the calls that read heartbeats, set things aside, remove them for good, or remove heartbeats, it happens. */
  const moments = [
    ['mget', 'before'],
    ['mget', 'after'],
    ['renamenx', 'before'],
    ['renamenx', 'after'],
    ['unlink', 'before'],
    ['evalsha', 'before'],
  ] as const;

  test.each(moments)('whichever %s it is that it beats %s', async (name, when) => {
    let fell = 0;
    for (let nth = 1; nth < 40; nth += 2 + Math.floor(Math.random() * 4)) {
      await place.current.flush();
      const ids = Array.from({ length: 8 }, (_, i) => `c${i}`);
      const keys = new Map<string, string[]>();
      for (const id of ids)
        keys.set(id, await settleIn(place.current, id, STALE, { more: [`blocking:idempotency:${id}:other:done:1`] }));
      const one = ids[Math.floor(Math.random() * ids.length)] as string;
      let came = false;
      let missing: string[] | null = null;
      const hooks = once(name, nth, when, async () => {
        // Before that it is nobody's fault what is gone.
        await revive(one);
        came = true;
        const there = new Set(await place.current.keys());
        missing = (keys.get(one) ?? []).filter((key) => !there.has(key));
      });
      const report = await cleanCluster(place.current, hooks);
      const left = await place.current.keys();
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
    if (name !== 'unlink' && name !== 'evalsha') expect(fell).toBeGreaterThan(0);
  });
});
