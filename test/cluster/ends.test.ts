import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cleanCluster, isMarker, ownName, settleIn } from '../support/cluster.ts';
import { startCluster, type TestCluster } from '../support/clusterServers.ts';
import { ACTIVE, beat, heartbeatOf, STALE } from '../support/world.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster();
});
beforeEach(async () => await cluster.flush());
afterAll(async () => await cluster.stop());

describe('a run that ends while things are aside leaves nothing of anybody (P3)', () => {
  test('leaves them to the next one, which puts back what belongs to somebody who lives, and sweeps the rest', async () => {
    const living = await settleIn(cluster, 'back', STALE);
    for (let i = 0; i < 5; i++) await settleIn(cluster, `c${i}`, STALE);
    const before = await cluster.keys();
    // As a killed process leaves it: it does nothing any more, nor puts anything back.
    let isKilled = false;
    let unlinks = 0;
    const killed = cleanCluster(cluster, {
      before: async (name) => {
        if (name === 'unlink' && ++unlinks === 3) isKilled = true;
        if (isKilled) throw new Error('killed');
      },
    });
    await expect(killed).rejects.toThrow('killed');
    const aside = (await cluster.keys()).filter((key) => key.startsWith('stalesweep:aside:'));
    expect(aside.length).toBeGreaterThan(0);
    await cluster.redis.set(heartbeatOf('back'), beat(Date.now() - ACTIVE, 'back'));
    const wasAside = (await cluster.keys()).map(ownName);
    const own = living.filter((key) => wasAside.includes(key));
    const warned: string[] = [];
    const report = await cleanCluster(cluster, { observer: { warn: (sentence) => warned.push(sentence) } });
    expect(report.coordinators).toMatchObject({ active: 1, stale: 5, swept: 5 });
    expect(warned).toContain(`put back ${aside.length} keys that a run had set aside which did not end`);
    const left = (await cluster.keys()).filter((key) => !isMarker(key));
    expect(left).toEqual([...own].sort());
    expect(own).toContain(heartbeatOf('back'));
    expect(before.length).toBeGreaterThan(left.length);
  });

  test('and one that fails puts them back itself: what is gone is gone with a stale one, whose heartbeat stays', async () => {
    const keys = await settleIn(cluster, 'c', STALE);
    let failed = false;
    const run = cleanCluster(cluster, {
      before: async (name) => {
        if (name !== 'unlink' || failed) return;
        failed = true;
        throw new Error('no more');
      },
    });
    await expect(run).rejects.toThrow('no more');
    const left = await cluster.keys();
    expect(left.length).toBeGreaterThan(1);
    expect(left).toContain(keys[0]);
    expect(keys).toEqual(expect.arrayContaining(left));
    expect(await cleanCluster(cluster)).toMatchObject({ coordinators: { swept: 1 }, keys: { deleted: left.length } });
    expect(await cluster.keys()).toEqual([]);
  });

  test('never overwrites what was written anew: the older one stays aside for a day, and is named', async () => {
    const keys = await settleIn(cluster, 'c', STALE);
    const [, signal = ''] = keys;
    const warned: string[] = [];
    let wrote = false;
    await cleanCluster(cluster, {
      observer: { warn: (sentence) => warned.push(sentence) },
      after: async (name) => {
        // All is aside by the third of the calls that read heartbeats.
        if (name !== 'renamenx' || wrote || (await cluster.redis.exists(signal)) === 1) return;
        wrote = true;
        await cluster.redis.set(signal, 'new');
        await cluster.redis.set(keys[0] as string, beat(Date.now(), 'c'));
      },
    });
    expect(wrote).toBe(true);
    expect(await cluster.redis.get(signal)).toBe('new');
    const left = await cluster.keys();
    expect(left.filter((key) => !key.startsWith('stalesweep:'))).toEqual([...keys].sort());
    const [aside = ''] = left.filter((key) => key.startsWith('stalesweep:'));
    expect(aside).toMatch(new RegExp(`^stalesweep:aside:.*:${signal}$`));
    expect(await cluster.redis.pttl(aside)).toBeGreaterThan(0);
    expect(warned.join()).toContain(signal);
  });
});
