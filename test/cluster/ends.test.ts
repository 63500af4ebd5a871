import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { markerKeys } from '../../src/redis/cluster/aside/names.ts';
import { ageWords, cleanCluster, isMarker, ownName, settleIn } from '../support/cluster.ts';
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

    // Its owner has removed what it wrote by the time that somebody else's run is killed.
    await cluster.redis.del(signal);
    for (const key of markerKeys()) await cluster.redis.sadd(key, '1:killed');
    await cleanCluster(cluster);
    expect(await cluster.redis.exists(signal)).toBe(0);
    expect(await cluster.keys()).toContain(aside);
    expect((await cluster.keys()).filter(isMarker)).toEqual([]);
  });

  test('nor another one beside it, which waits as long as things are aside, and ends where their run is killed', async () => {
    for (const isKilled of [false, true]) {
      await cluster.flush();
      for (const id of ['c', 'd']) await settleIn(cluster, id, STALE);
      let hasEnded = false;
      let first: Promise<unknown> | null = null;
      let goOn = () => {};
      const second = cleanCluster(cluster, {
        before: async (name) => {
          // It has judged.
          if (name !== 'evalsha' || first !== null) return;
          const wait = new Promise<void>((resolve) => {
            goOn = resolve;
          });
          let renamed = 0;
          await new Promise<void>((resolve) => {
            first = cleanCluster(cluster, {
              before: () => {
                if (hasEnded) throw new Error('killed');
              },
              after: async (call) => {
                if (call !== 'renamenx' || ++renamed !== 12) return;
                resolve();
                await wait;
              },
            }).catch((error: Error) => error.message);
          });
        },
        after: async (name) => {
          // It has seen the other's word, and taken its own back.
          if (name !== 'srem' || hasEnded) return;
          hasEnded = isKilled;
          if (isKilled) await ageWords(cluster);
          goOn();
        },
      });
      if (isKilled) {
        await expect(second).rejects.toThrow('was killed');
        expect(await first).toBe('killed');
        expect(await cleanCluster(cluster)).toMatchObject({ coordinators: { swept: 2 } });
      } else await Promise.all([second, first]);
      expect((await cluster.keys()).filter((key) => !isMarker(key))).toEqual([]);
    }
  });

  test('gives back what is large in steps of which each begins where the one before has ended (P6)', async () => {
    const [, signal = ''] = await settleIn(cluster, 'c', STALE);
    const fields = 10_000 + Math.floor(Math.random() * 5_000);
    await cluster.redis.del(signal);
    await cluster.redis.hset(signal, Object.fromEntries(Array.from({ length: fields }, (_, i) => [`f${i}`, 'old'])));
    let scans = 0;
    let wrote = false;
    await cleanCluster(cluster, {
      before: (name) => {
        if (name === 'hscan') scans++;
      },
      after: async (name) => {
        if (name !== 'renamenx' || wrote || (await cluster.redis.exists(signal)) === 1) return;
        wrote = true;
        await cluster.redis.hset(signal, 'f0', 'new');
        await cluster.redis.set(heartbeatOf('c'), beat(Date.now(), 'c'));
      },
    });
    expect(await cluster.redis.hlen(signal)).toBe(fields);
    expect(await cluster.redis.hmget(signal, 'f0', 'f1')).toEqual(['new', 'old']);
    expect(scans).toBeLessThan(fields / 50);
  });

  test('gives fields back with what time to live they have left, where the server keeps such', async () => {
    const { redis } = cluster;
    const [, signal = ''] = await settleIn(cluster, 'c', STALE);
    await redis.del(signal);
    await redis.hset(signal, { mine: 'old', passing: 'old', lasting: 'old' });
    const passing = async (name: string, ...args: string[]) =>
      await redis.call(name, signal, ...args, 'FIELDS', '3', 'mine', 'passing', 'lasting').catch(() => null);
    const knows =
      (await redis.call('HPEXPIRE', signal, '600000', 'FIELDS', '2', 'mine', 'passing').catch(() => null)) !== null;
    let wrote = false;
    await cleanCluster(cluster, {
      after: async (name) => {
        if (name !== 'renamenx' || wrote || (await redis.exists(signal)) === 1) return;
        wrote = true;
        await redis.hset(signal, 'mine', 'new');
        await redis.set(heartbeatOf('c'), beat(Date.now(), 'c'));
      },
    });
    expect(await redis.hgetall(signal)).toEqual({ mine: 'new', passing: 'old', lasting: 'old' });
    const left = await passing('HPTTL');
    if (knows) expect(left).toEqual([-1, expect.any(Number), -1]);
    if (knows) expect((left as number[])[1]).toBeGreaterThan(300_000);
  });
});
