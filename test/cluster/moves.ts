/** moves: slots that go from node to node, back and forth, while a cluster is swept and those in it beat again. */
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { Random } from '../chaos/random.ts';
import { cleanCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import { agreed, type MoveSteps, moveSlot, ownerOf } from '../support/slotMoves.ts';
import { racerOf, Round, type Story } from './race.ts';

/** Moves some slots, and some of those back, until told to end. Resolves to how many. */
export async function moveSlots(
  cluster: TestCluster,
  primaries: readonly TestRedis[],
  random: Random,
  slots: readonly number[],
  goesOn: () => boolean,
  steps: MoveSteps | null = null,
): Promise<number> {
  let count = 0;
  while (goesOn()) {
    const slot = random.pick(slots) as number;
    const from = await ownerOf(cluster, slot);
    const to = random.pick(primaries.filter((node) => node !== from)) as TestRedis;
    await moveSlot(cluster, slot, from, to, steps);
    count++;
    if (random.between(0, 1) === 0 || !goesOn()) continue;
    await moveSlot(cluster, slot, to, from, steps);
    count++;
  }
  return count;
}

/** What came of runs while slots moved. */
export interface Moved {
  moves: number;
  /** What runs that did not end well said, each with how often. */
  readonly said: Record<string, number>;
}

/** Runs, and tries, while slots move; then one run while none does. */
export async function moveOnce(
  cluster: TestCluster,
  primaries: readonly TestRedis[],
  seed: number,
  story: Story,
  told: Moved,
  coordinators: number,
  settings: object = {},
): Promise<void> {
  const random = new Random(seed);
  const redis = racerOf(cluster);
  try {
    const round = new Round(cluster, redis, random, story, coordinators);
    await round.populate();
    const slots = [...new Set((await cluster.keys()).map((key) => slotOfText(key)))];
    let isOver = false;
    const moving = moveSlots(cluster, primaries, new Random(seed + 1), slots, () => !isOver);
    let failed = false;
    try {
      const report = await cleanCluster(cluster, { settings, ...round.hooks(undefined, Math.ceil(coordinators / 4)) });
      round.note(report);
    } catch (error) {
      // What a run can't settle while a slot is on its way, it says, and the next one does.
      const sentence = String(error).replaceAll(/\d+/g, 'n');
      told.said[sentence] = (told.said[sentence] ?? 0) + 1;
      story.failed++;
      failed = true;
    } finally {
      await round.calm();
      isOver = true;
    }
    told.moves += await moving;
    await agreed(cluster);
    const report = await cleanCluster(cluster, { settings });
    if (report.outcome !== 'completed') story.faults.push(`the next run ended ${report.outcome}`);
    round.note(report);
    await round.audit(!failed);
  } finally {
    redis.disconnect();
  }
}
