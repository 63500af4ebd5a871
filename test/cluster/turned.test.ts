/** A primary of a cluster that turns replica and back, on connections that nobody ends: what it took last may have gone with that. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { cleanCluster, isMarker, settleIn } from '../support/cluster.ts';
import { primaryOf, startCluster, type TestCluster, until } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import { beat, heartbeatOf, STALE } from '../support/world.ts';
import { areReplicated } from './failovers.ts';
import { Gates } from './gates.ts';

let cluster: TestCluster;
let gates: Gates;

beforeAll(async () => {
  cluster = await startCluster(3, { replicas: true });
  gates = await Gates.before(cluster);
});
afterAll(async () => {
  gates.close();
  await cluster.stop();
});

async function infoOf({ redis }: TestRedis): Promise<string> {
  return await redis.info('replication');
}

/** Who takes over from whom, and that one again; each without a word to the other, with what it has by then. */
async function thereAndBack(primary: TestRedis, replica: TestRedis): Promise<void> {
  for (const [heir, other] of [
    [replica, primary],
    [primary, replica],
  ] as const) {
    await heir.redis.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
    gates.drop(primary);
    await until(async () => (await infoOf(other)).includes('master_link_status:up'));
  }
  const id = String(await primary.redis.call('CLUSTER', 'MYID'));
  const knows = ({ redis }: TestRedis) =>
    redis.call('CLUSTER', 'NODES').then((said) => new RegExp(`^${id} .*master.* \\d+-\\d+`, 'm').test(String(said)));
  await until(async () => (await Promise.all(cluster.nodes.map(knows))).every(Boolean));
}

/** The keys that are somebody's. */
async function theirs(): Promise<string[]> {
  return (await cluster.keys()).filter((key) => !isMarker(key));
}

const STALE_NOW = { restartGrace: false };
const LAST_BEAT = beat(Date.now(), 'back');

test('in mid-run it costs nobody anything whose last beat went with that (P1, P10)', async () => {
  for (const id of ['back', 'gone']) await settleIn(cluster, id, STALE);
  await until(async () => await areReplicated(cluster));
  const all = await theirs();
  const heartbeat = heartbeatOf('back');
  const nth = primaryOf(slotOfText(heartbeat), 3);
  const [primary, replica] = [cluster.nodes[nth], cluster.nodes[nth + 3]] as [TestRedis, TestRedis];
  let turned: Promise<void> | null = null;
  const turn = async () => {
    gates.hold(primary);
    await primary.redis.set(heartbeat, LAST_BEAT);
    await thereAndBack(primary, replica);
    expect(await primary.redis.get(heartbeat)).not.toBe(LAST_BEAT);
  };
  const before = async (name: string) => {
    if (name === 'renamenx') turned ??= turn();
    await turned;
  };
  const failure = await cleanCluster(cluster, { settings: STALE_NOW, before }).catch((error: unknown) => error);
  expect(await theirs()).toEqual(all);
  expect(String(failure)).toMatch('judged anew');
});

test('in mid-run it orphans nothing that comes back with that (P3)', async () => {
  for (const id of ['a', 'b', 'c']) await settleIn(cluster, id, STALE);
  await until(async () => await areReplicated(cluster));
  const [primary, replica] = [cluster.nodes[0], cluster.nodes[3]] as [TestRedis, TestRedis];
  let hasRemoved = false;
  let turned: Promise<void> | null = null;
  const before = async (name: string) => {
    if (name === 'renamenx') gates.hold(primary);
    hasRemoved ||= name === 'unlink';
    if (hasRemoved && name === 'info') turned ??= thereAndBack(primary, replica);
    await turned;
  };
  const failure = await cleanCluster(cluster, { settings: STALE_NOW, before }).catch((error: unknown) => error);
  expect(turned).not.toBeNull();
  expect((await cleanCluster(cluster, { settings: STALE_NOW })).outcome).toBe('completed');
  expect(await theirs()).toEqual([]);
  expect(String(failure)).toMatch('judged anew');
});
