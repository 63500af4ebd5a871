/** slotMoves: slots that go from node to node of a cluster, in the order in which Redis wants it (https://redis.io/docs/latest/commands/cluster-setslot/). */
import { membersIn, Topology } from '../../src/redis/cluster/nodes/topology.ts';
import { type TestCluster, until } from './clusterServers.ts';
import type { TestRedis } from './redis.ts';

const MOST_IN_ONE_CALL = 10;
const MIGRATE_TIMEOUT_MS = 5_000;

function running({ nodes }: TestCluster): readonly TestRedis[] {
  return nodes.filter(({ redis }) => redis.status === 'ready');
}

async function saidBy({ redis }: TestRedis) {
  return membersIn(String(await redis.call('CLUSTER', 'NODES')), '127.0.0.1');
}

async function idOf({ redis }: TestRedis): Promise<string> {
  return String(await redis.call('CLUSTER', 'MYID'));
}

/** What a node believes of who owns what, and since which epoch; what is on its way only the node itself says. */
function beliefOf(said: Awaited<ReturnType<typeof saidBy>>): string {
  const owning = said.filter(({ isPrimary, slots }) => isPrimary && slots.length > 0);
  return JSON.stringify(owning.map(({ id, epoch, slots }) => [id, epoch, slots]).sort());
}

/** Whether all nodes that run believe the same: every slot is somebody's, none on its way, and no two claim with the same epoch. */
async function agree(cluster: TestCluster): Promise<boolean> {
  const said = await Promise.all(running(cluster).map(saidBy));
  const [first = [], ...others] = said;
  const epochs = first.flatMap(({ isPrimary, slots, epoch }) => (isPrimary && slots.length > 0 ? [epoch] : []));
  if (new Set(epochs).size < epochs.length || new Topology([first]).unowned.length > 0) return false;
  if (said.some((members) => members.some(({ open }) => open.length > 0))) return false;
  return others.every((one) => beliefOf(one) === beliefOf(first));
}

/** Resolves once all nodes that run agree on who owns which slot. */
export async function agreed(cluster: TestCluster): Promise<void> {
  await until(async () => await agree(cluster));
}

/** The node that owns a slot, once all agree on that. */
export async function ownerOf(cluster: TestCluster, slot: number): Promise<TestRedis> {
  await agreed(cluster);
  const [any] = running(cluster) as [TestRedis];
  const owner = new Topology([await saidBy(any)]).owners[slot];
  for (const node of running(cluster)) if ((await idOf(node)) === owner) return node;
  throw new Error(`the owner of slot ${slot} does not run`);
}

/** Moves a slot with all its keys to another node, as a resharding does it; resolves once all nodes agree on that. */
export async function moveSlot(cluster: TestCluster, slot: number, from: TestRedis, to: TestRedis): Promise<void> {
  // An epoch that others have not heard of yet would be taken twice, and then one of two claims lost.
  await agreed(cluster);
  const [source, target] = await Promise.all([from, to].map(idOf));
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source as string);
  await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target as string);
  for (;;) {
    const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, MOST_IN_ONE_CALL)) as string[];
    if (keys.length === 0) break;
    await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, MIGRATE_TIMEOUT_MS, 'KEYS', ...keys);
  }
  // The target first: a slot that the source has given away and nobody has taken would be nobody's.
  for (const { redis } of [to, from, ...running(cluster).filter((node) => node !== to && node !== from)]) {
    await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', target as string).catch((error: Error) => {
      // A replica learns it from its primary.
      if (!/only with masters/i.test(error.message)) throw error;
    });
  }
  await agreed(cluster);
}
