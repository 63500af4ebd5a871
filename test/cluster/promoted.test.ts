/** P10 where a replica took over: what its primary took last may have died with it, beats among it. */
import { expect, onTestFinished, test } from 'vitest';
import { Way } from '../chaos/way.ts';
import { settleIn } from '../support/cluster.ts';
import { startCluster, until } from '../support/clusterServers.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { NEVER } from '../support/queue.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { work } from '../support/worker.ts';
import { ACTIVE, beat, everythingOf, heartbeatOf } from '../support/world.ts';

const queue = useRedis();
const LONG_AGO_MS = 3_600_000;

function envOf(url: string): Record<string, string> {
  return { REDIS_URL: url, QUEUE_REDIS_URL: queue.current.url, STALESWEEP_MIN_STALE_AFTER: '1s', ...NEVER };
}

async function counts(url: string, staleAfter = '10m'): Promise<{ active: number; swept: number }> {
  const { stdout, stderr } = await command(['run', '--json', '--stale-after', staleAfter], envOf(url));
  expect(stderr.replace(/^.*came back with old data.*\n/, '')).toBe('');
  const { active, swept } = JSON.parse(stdout).coordinators;
  return { active, swept };
}

async function isPrimary({ redis }: TestRedis): Promise<boolean> {
  return String(((await redis.call('ROLE')) as unknown[])[0]) === 'master';
}

test('of a cluster: silence counts from when that was first seen, not by the beat before the one that was lost', async () => {
  const cluster = await startCluster(3, { replicas: true });
  onTestFinished(async () => await cluster.stop());
  await settleIn(cluster, 'c', ACTIVE);
  expect(await counts(cluster.url)).toEqual({ active: 1, swept: 0 });
  const heir = cluster.nodes[3] as TestRedis;
  await heir.redis.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
  const id = String(await heir.redis.call('CLUSTER', 'MYID'));
  const knows = ({ redis }: TestRedis) =>
    redis.call('CLUSTER', 'NODES').then((said) => new RegExp(`^${id} .*master.* \\d+-\\d+`, 'm').test(String(said)));
  await until(async () => (await Promise.all(cluster.nodes.map(knows))).every(Boolean));
  // As if its last beats had never reached who took over.
  await until(async () => (await cluster.redis.set(heartbeatOf('c'), beat(Date.now() - LONG_AGO_MS, 'c'))) === 'OK');
  expect(await counts(cluster.url)).toEqual({ active: 1, swept: 0 });
  await expect.poll(async () => (await counts(cluster.url, '1s')).swept).toBe(1);
});

test('behind one address: a worker has seen it, also where no run came for long', async () => {
  const [primary, replica] = await Promise.all([startRedis(), startRedis()]);
  onTestFinished(async () => void (await Promise.all([primary.stop(), replica.stop()])));
  const way = await Way.to(primary.port);
  onTestFinished(async () => await way.close());
  await replica.redis.replicaof('127.0.0.1', primary.port);
  await until(async () => (await replica.redis.info('replication')).includes('master_link_status:up'));
  const [heartbeat, ...others] = everythingOf('c') as [string, ...string[]];
  for (const name of others) await primary.redis.set(name, 'c');
  await primary.redis.set(heartbeat, beat(Date.now() - LONG_AGO_MS, 'c'));
  await primary.redis.wait(1, 0);
  const promotions = async () => {
    const [name = ''] = await queue.current.redis.keys('*ledger:promotions/*');
    return name === '' ? null : await queue.current.redis.strlen(name);
  };
  const worker = await work(envOf(way.url));
  await expect.poll(promotions).toBe(8);
  await replica.redis.replicaof('NO', 'ONE');
  expect(await isPrimary(replica)).toBe(true);
  way.leadTo(replica.port);
  await primary.stop();
  await expect.poll(promotions, { interval: 200 }).toBe(22);
  await worker.close();
  expect(await counts(way.url)).toEqual({ active: 1, swept: 0 });
});
