/** moves: slots that go from node to node, back and forth, while a cluster is swept and those in it beat again. */
import { Random } from '../chaos/random.ts';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { cleanCluster, moveSlot } from '../support/cluster.ts';
import type { TestCluster } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import { racerOf, Round, type Story } from './race.ts';

/** Who says of itself that it serves a slot: others may not have heard of it yet. */
async function ownerOf(primaries: readonly TestRedis[], slot: number): Promise<TestRedis> {
  for (const node of primaries) {
    const slots = (await node.redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    if (slots.some(([from, to, [, port]]) => from <= slot && slot <= to && port === node.port)) return node;
  }
  throw new Error(`nobody owns slot ${slot}`);
}

/** Moves one; whether that could be: who has heard of a later claim meanwhile does not own it any more. */
async function isMoved(cluster: TestCluster, slot: number, from: TestRedis, to: TestRedis): Promise<boolean> {
  try {
    await moveSlot(cluster, slot, from, to);
    return true;
  } catch (error) {
    if (!/not the owner|already the owner/.test(String(error))) throw error;
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
    return false;
  }
}

/** Moves some slots, and back, until told to end. */
async function goOn(
  cluster: TestCluster,
  primaries: readonly TestRedis[],
  random: Random,
  slots: readonly number[],
  goesOn: () => boolean,
): Promise<number> {
  let count = 0;
  while (goesOn()) {
    const slot = random.pick(slots) as number;
    const from = await ownerOf(primaries, slot);
    const to = random.pick(primaries.filter((node) => node !== from)) as TestRedis;
    if (await isMoved(cluster, slot, from, to)) count++;
    if (random.between(0, 1) === 0 || !goesOn()) continue;
    if (await isMoved(cluster, slot, to, from)) count++;
  }
  return count;
}

/** Runs, and tries, while slots move; then one run while none does. Resolves to how many moved. */
export async function moveOnce(
  cluster: TestCluster,
  primaries: readonly TestRedis[],
  seed: number,
  story: Story,
  coordinators: number,
): Promise<number> {
  const random = new Random(seed);
  const redis = racerOf(cluster);
  try {
    const round = new Round(cluster, redis, random, story, coordinators);
    await round.populate();
    const slots = [...new Set((await cluster.keys()).map((key) => slotOfText(key)))];
    let isOver = false;
    const moving = goOn(cluster, primaries, new Random(seed + 1), slots, () => !isOver);
    let failed = false;
    try {
      const report = await cleanCluster(cluster, { ...round.hooks(undefined, Math.ceil(coordinators / 4)) });
      round.note(report);
    } catch {
      // What a run can't settle while a slot is on its way, it says, and the next one does.
      story.failed++;
      failed = true;
    } finally {
      await round.calm();
      isOver = true;
    }
    const moved = await moving;
    const report = await cleanCluster(cluster);
    if (report.outcome !== 'completed') story.faults.push(`the next run ended ${report.outcome}`);
    round.note(report);
    await round.audit(!failed);
    return moved;
  } finally {
    redis.disconnect();
  }
}
