/** estimate: what removing the stale coordinators would free, from a few of them, before anything of theirs is removed.
 *  Owns      which are looked at: those of the partition under way, each as likely as any other.
 *  Promises  reads only.
 */
import type { Id } from '../../store/records.ts';
import { batchOf, release } from '../batch/batch.ts';
import { atReads, type Run, type RunContext } from '../context.ts';
import { sizesOf } from '../tally/memorySample.ts';
import { unitOf } from '../batch/unit.ts';

/** So many coordinators are looked at; of ordinary ones some 1,400 things, which takes Redis a few milliseconds. */
const SAMPLE = 200;
/** Of one with more things so many are looked at, and stand for the rest. */
const MOST_NAMES = 1_000;

/** In bytes, once it is known whose the keys are; `undefined` where Redis does not tell what a key takes, or nobody is stale. */
export async function estimateAhead(run: Run): Promise<number | undefined> {
  const here = atReads(run);
  const share = SAMPLE / run.store.idCount;
  const names: string[] = [];
  let coordinators = 0;
  // For the things of those of whom not all are asked about.
  let rest = 0;
  for (const id of run.store.ids()) {
    if (Math.random() >= share) continue;
    const going = goingOf(here, id);
    coordinators += going.coordinators;
    names.push(...going.names.slice(0, MOST_NAMES));
    rest += Math.max(0, going.names.length - MOST_NAMES);
  }
  if (coordinators === 0) return undefined;
  const sizes = await sizesOf(here.node, names);
  if (sizes === null) return undefined;
  const bytes = sizes.reduce((all, size) => all + size, 0) * (names.length === 0 ? 0 : 1 + rest / names.length);
  return Math.round((bytes / coordinators) * run.tally.stale);
}

/** The names of what of one id would go, some of which may not be there, and how many coordinators that is. */
function goingOf(run: RunContext, id: Id): { readonly names: readonly string[]; readonly coordinators: number } {
  const unit = unitOf(run, id);
  if (unit === null) return { names: [], coordinators: 0 };
  const batch = batchOf(run, [unit]);
  const heartbeats = batch.judged.keys.texts().slice(0, batch.heartbeats);
  const names = [heartbeats, ...batch.families.map((keys) => keys.texts())].flat();
  release(batch);
  return { names, coordinators: unit.stale.length };
}
