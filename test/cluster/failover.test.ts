import { afterEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { cleanCluster, isMarker, ownName, settleIn } from '../support/cluster.ts';
import { startCluster, type TestCluster, until } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import { ACTIVE, STALE } from '../support/world.ts';

let cluster: TestCluster;

afterEach(async () => await cluster.stop());

/** What takes, removes, and compares and removes. */
const WRITES = ['renamenx', 'unlink', 'evalsha'];

const roleOf = async ({ redis }: TestRedis) => String(((await redis.call('ROLE')) as unknown[])[0]);

/** All that is there, whether aside or not, by its own name. */
const owned = async () =>
  (await cluster.keys())
    .filter((key) => !isMarker(key))
    .map(ownName)
    .sort();

describe('a primary that is killed', () => {
  test('in mid-run ends the run; once its replica took over the next one ends well, and nobody who lives has lost anything', async () => {
    cluster = await startCluster(3, { replicas: true });
    const kept = await settleIn(cluster, 'living', ACTIVE);
    for (let i = 0; i < 30; i++) await settleIn(cluster, `c${i}`, STALE);
    const [victim, , , heir] = cluster.nodes as readonly [TestRedis, TestRedis, TestRedis, TestRedis];
    const moment = 3 + Math.floor(Math.random() * 250);
    let calls = 0;
    const killed = cleanCluster(cluster, {
      // The last writes before it may not have reached its replica.
      before: async (name) => {
        if (WRITES.includes(name) && ++calls === moment) await victim.stop();
      },
    });
    const failure = await killed.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    await until(async () => (await roleOf(heir)) === 'master');
    const others = cluster.nodes.filter((node) => node !== victim);
    for (const node of others) {
      await until(async () => String(await node.redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    }
    expect(await owned()).toEqual(expect.arrayContaining(kept));
    const report = await cleanCluster(cluster);
    expect(report.outcome).toBe('completed');
    expect(await owned()).toEqual([...kept].sort());
  });

  test('before the run, without a replica: it says which slots can not be judged, and removes nothing', async () => {
    cluster = await startCluster(3, { args: ['--cluster-require-full-coverage', 'no'] });
    for (let i = 0; i < 10; i++) await settleIn(cluster, `c${i}`, STALE);
    const [, victim] = cluster.nodes as readonly TestRedis[];
    await victim?.stop();
    const before = await cluster.keys();
    const failure = await cleanCluster(cluster).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(String(failure)).toMatch(
      /slots 5461-10921 of the cluster at redis\+cluster:.* can not be judged \(.*\); nothing is removed, since it could belong to somebody there/,
    );
    expect(await cluster.keys()).toEqual(before);
  });
});
