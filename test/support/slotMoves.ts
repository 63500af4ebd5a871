/** slotMoves: slots that go from node to node of a cluster, in the order in which Redis wants it (https://redis.io/docs/latest/commands/cluster-setslot/). */
import { membersIn, Topology } from '../../src/redis/cluster/nodes/topology.ts';
import { type TestCluster, until } from './clusterServers.ts';
import type { TestRedis } from './redis.ts';

const MOST_IN_ONE_CALL = 10;
const MIGRATE_TIMEOUT_MS = 5_000;
const MOST_LEFT = 100_000;

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

/** The steps of moves, and the end of all: whoever stops one node in the midst of a move lets the step under way be done first. */
export class MoveSteps {
  /** How many were done, and of which slots. */
  count = 0;
  readonly slots = new Set<number>();
  #isOver = false;
  #underWay: Promise<void> = Promise.resolve();

  /** Does one step; its end is known to the replicas of both nodes. Rejects once all is over. */
  async step(slot: number, nodes: readonly TestRedis[], work: () => Promise<void>): Promise<void> {
    if (this.#isOver) throw new Error('no slot moves any more');
    this.slots.add(slot);
    const done = work().then(async () => {
      await Promise.all(
        nodes.map(async ({ redis }) => {
          await redis.time();
          await redis.wait(1, MIGRATE_TIMEOUT_MS);
        }),
      );
    });
    this.#underWay = done.catch(() => {});
    await done;
    this.count++;
  }

  /** Resolves once no step is under way; none begins after it. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#underWay;
  }
}

/** Moves a slot with all its keys to another node, as a resharding does it: all keys at one instant, every other time, where a server can. */
export async function moveSlot(
  cluster: TestCluster,
  slot: number,
  from: TestRedis,
  to: TestRedis,
  steps: MoveSteps | null = null,
): Promise<void> {
  if (steps !== null || Math.random() < 0.5 || !(await moveAtOnce(cluster, slot, from, to))) {
    await moveByKeys(cluster, slot, from, to, steps);
  }
}

/** Resolves to whether the server knows of it, once all nodes agree on where the slot is then (https://valkey.io/topics/atomic-slot-migration/). */
async function moveAtOnce(cluster: TestCluster, slot: number, from: TestRedis, to: TestRedis): Promise<boolean> {
  await agreed(cluster);
  const target = await idOf(to);
  try {
    await from.redis.call('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', slot, slot, 'NODE', target);
  } catch (error) {
    if (/unknown subcommand/i.test((error as Error).message)) return false;
    throw error;
  }
  await until(async () => new Topology([await saidBy(to)]).owners[slot] === target);
  await agreed(cluster);
  return true;
}

/** Moves it key by key; resolves once all nodes agree on where it is then. */
async function moveByKeys(
  cluster: TestCluster,
  slot: number,
  from: TestRedis,
  to: TestRedis,
  steps: MoveSteps | null,
): Promise<void> {
  const step = async (work: () => Promise<void>) => await (steps?.step(slot, [from, to], work) ?? work());
  // An epoch that others have not heard of yet would be taken twice, and then one of two claims lost.
  await agreed(cluster);
  const [source, target] = await Promise.all([from, to].map(idOf));
  await step(async () => {
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source as string);
    await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target as string);
  });
  for (;;) {
    const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, MOST_IN_ONE_CALL)) as string[];
    if (keys.length === 0) break;
    await step(async () => {
      await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, MIGRATE_TIMEOUT_MS, 'KEYS', ...keys);
    });
  }
  // The target first: a slot that the source has given away and nobody has taken would be nobody's.
  await step(async () => {
    for (const { redis } of [to, from, ...running(cluster).filter((node) => node !== to && node !== from)]) {
      await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', target as string).catch((error: Error) => {
        // A replica learns it from its primary.
        if (!/only with masters/i.test(error.message)) throw error;
      });
    }
    // A replica that took over before it has heard of that would not take this slot.
    await agreed(cluster);
  });
}

async function primariesIn(cluster: TestCluster): Promise<readonly TestRedis[]> {
  const said = await Promise.all(running(cluster).map(async (node) => ({ node, said: await saidBy(node) })));
  return said.flatMap((one) => (one.said.some(({ isSelf, isPrimary }) => isSelf && isPrimary) ? [one.node] : []));
}

/**
 * As `redis-cli --cluster fix` does, once another has taken the place of whoever was lost: whatever others hold of these slots goes to
 * their owners, and none is on its way any more. One that is being moved to a node counts there as whoever was lost owned it until then.
 */
export async function mendSlots(cluster: TestCluster, slots: ReadonlySet<number>): Promise<void> {
  const primaries = await primariesIn(cluster);
  const { owners } = new Topology(await Promise.all(primaries.map(saidBy)));
  const ids = await Promise.all(primaries.map(idOf));
  for (const slot of slots) for (const { redis } of primaries) await redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
  for (const { redis } of primaries) {
    await until(async () => String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  }
  for (const slot of slots) {
    const to = primaries[ids.indexOf(owners[slot] ?? '')];
    if (to === undefined) throw new Error(`slot ${slot} is nobody's`);
    for (const from of primaries.filter((node) => node !== to)) {
      const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, MOST_LEFT)) as string[];
      if (keys.length === 0) continue;
      // Only what is on its way may leave it.
      await from.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', owners[slot] as string);
      await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, MIGRATE_TIMEOUT_MS, 'KEYS', ...keys);
      await from.redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
    }
  }
}
