/** hold: what is checked, and how a keyspace that broke it is found again.
 *
 *      SEED=… AT=… npx vitest run test/model        replays one keyspace, as the failure's message says
 */
import fc from 'fast-check';
import { attempt, targetFor } from './compare.ts';
import { plans, worldOf } from './large.ts';
import { FLAT, NESTED, NOVICE, ownSchema, SWARM } from './schemas.ts';
import type { Stage, Strategy } from './stage.ts';
import { type World, worldsOf } from './worlds.ts';

/** Which worlds a test file tries. */
export type Worlds = 'shipped' | 'own' | 'large';

type Hold = (world: World) => Promise<void>;

const anySchema = fc.oneof({ weight: 4, arbitrary: ownSchema }, fc.constantFrom(...NESTED));

/** What is drawn is what a failure shows. */
const PROPERTIES: Readonly<Record<Worlds, (hold: Hold) => fc.IAsyncPropertyWithHooks<[unknown]>>> = {
  shipped: (hold) => fc.asyncProperty(worldsOf(fc.constantFrom(SWARM, FLAT, NOVICE)), hold),
  own: (hold) => fc.asyncProperty(worldsOf(anySchema), hold),
  large: (hold) => fc.asyncProperty(plans, async (plan) => await hold(worldOf(plan))),
};

/** Where a second that turns meanwhile makes a difference, nobody can tell what was due: such a world is written again. */
const ATTEMPTS = 3;

/** Tries so many worlds of a kind. Throws with the smallest that fails, its seed, and how to replay it. */
export async function holdAgainst(stage: Stage, kind: Worlds, strategy: Strategy, keyspaces: number): Promise<void> {
  const property = PROPERTIES[kind](async (world) => {
    const target = targetFor(world);
    fc.pre(target !== null);
    for (let left = ATTEMPTS; left > 0; left--) if (await attempt(stage, strategy, world, target)) return;
    // On a machine too busy to do it within a second this one does not count.
    fc.pre(false);
  });
  const { SEED, AT } = process.env;
  const replay = SEED ? { seed: Number(SEED), ...(AT ? { path: AT } : {}) } : {};
  const details = await fc.check(property, { numRuns: keyspaces, maxSkipsPerRun: 1_000, ...replay });
  if (!details.failed) return;
  const again = `SEED=${details.seed} AT=${details.counterexamplePath} npx vitest run test/model/${kind}.test.ts -t ${strategy.name}`;
  throw new Error(`${fc.defaultReportMessage(details)}\n\nreplay it: ${again}\n`, { cause: details.errorInstance });
}
