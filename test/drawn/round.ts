/** round: one drawn world, a run or two over it while some of it comes back to life, and an audit of all that is there afterwards. */
import { Bulk } from '../../src/redis/call/bulk.ts';
import { Failure, sentenceOf } from '../../src/domain/failure.ts';
import { explain } from '../../src/redis/connection/explain.ts';
import { restore } from '../../src/restore/restore.ts';
import { Random } from '../chaos/random.ts';
import { targetOf } from '../support/cleanup.ts';
import { Audit } from './audit.ts';
import { Comebacks } from './comebacks.ts';
import { Fates } from './fate.ts';
import { type Ground, pastOf, writeWorld } from './ground.ts';
import { run } from './told.ts';
import { drawWishes, outagesOf, settingsFor } from './wishes.ts';
import { drawWorld } from './world.ts';

interface Outcome {
  /** What the world and the run were, for whoever repeats it. */
  readonly drawn: object;
  readonly wrong: readonly string[];
  readonly keys: number;
  readonly comebacks: number;
  /** Why nothing was done; `null`: it was. */
  readonly refused: string | null;
}

/** Fewer fingerprints than the living need: nothing is swept then, and said so. */
const TOO_SMALL = /memoryBudget is too small/;

/** Commands that remove, or tell a script or a transaction what to. */
const REMOVING: ReadonlySet<string> = new Set(['eval', 'evalsha', 'watch', 'unlink']);

/** Draws from the seed, runs and audits. */
export async function round(ground: Ground, seed: number): Promise<Outcome> {
  const random = new Random(seed);
  const world = drawWorld(random);
  const fates = new Fates(world);
  const wishes = drawWishes(random);
  const db = random.pick([0, 3]) ?? 0;
  const { redis } = ground;
  await redis.flushall();
  await redis.select(db);
  const before = await writeWorld(ground, world, db);
  const url = `${ground.urlFor(wishes.byTransaction)}/${db}`;
  const target = targetOf(url, settingsFor(world, wishes));
  const past = world.activeBefore === null ? null : { active: world.activeBefore, heldSinceAt: null };
  const { memoryBudgetBytes } = wishes;
  const options = {
    target,
    past,
    outages: outagesOf(world),
    ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }),
  };
  const comebacks = new Comebacks(ground, db, random, fates, {
    // Of those who come by themselves none, often, so that only those do of whom nothing is proved.
    most: wishes.most === 0 || (wishes.when === 'removing' && random.between(0, 1) === 0) ? 0 : random.between(1, 60),
    born: wishes.when === 'walking',
  });
  let watched: readonly string[] = [];
  const stir = async (name: string, args: unknown) => {
    const removing = REMOVING.has(name) && Array.isArray(args);
    const texts = removing ? args.flatMap((arg: unknown) => (arg instanceof Bulk ? arg.texts() : [])) : [];
    // What a transaction removes is proved by what it watches.
    if (name === 'watch') watched = texts;
    const named = name === 'unlink' ? [...watched, ...texts] : texts;
    if (removing) await comebacks.surprised(named);
    const isTime = { removing, walking: name === 'scan', ever: true }[wishes.when];
    if (isTime) await comebacks.some(random.between(wishes.when === 'ever' ? 0 : 1, wishes.most), named);
  };
  const hooks = wishes.most === 0 ? {} : { before: stir, ...(wishes.when === 'removing' ? {} : { after: stir }) };
  const audit = new Audit(ground, db, fates, comebacks, before);
  let refused: string | null = null;
  try {
    const isStill = wishes.most === 0;
    const look = { ...options, run: 'dry', dryRun: true, sightings: pastOf(ground, true) };
    const dry = isStill ? await run(url, look) : null;
    // Whoever looks at values ends idle times.
    if (isStill && world.orphans.length === 0) await audit.untouched();
    const runs = Array.from({ length: wishes.runs }, (_, i) => `run-${i}`);
    const ended = await Promise.allSettled(
      runs.map(async (id) => await run(url, { ...options, ...hooks, run: id, sightings: pastOf(ground) })),
    );
    await comebacks.settled();
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await audit.after(
      ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
      dry,
      wishes,
    );
    if (wishes.trash) {
      await audit.writeAnew(random);
      for (const id of runs) await restore(target, { run: id }, { heartbeats: true });
      await audit.restored();
    }
  } catch (error) {
    refused = refusalIn(ground, error);
    if (refused !== null) await audit.refused();
    else if (!TOO_SMALL.test(String(error))) throw new Error(`seed ${seed}`, { cause: error });
  } finally {
    await redis.select(0);
  }
  const size = { keys: world.keys.size, everybody: world.everybody.length };
  return {
    drawn: { seed, layout: world.name, db, ...wishes, ...size },
    wrong: audit.wrong,
    keys: before.size,
    comebacks: comebacks.count,
    refused,
  };
}

/** Why a run was refused, in the sentence that an operator reads; `null` where it failed. */
function refusalIn({ mayRefuse, urlFor }: Ground, error: unknown): string | null {
  if (!mayRefuse) return null;
  const known = explain(error, targetOf(urlFor(false)));
  return known instanceof Failure && known.code === 'DENIED' ? sentenceOf(known) : null;
}
