/** attempt: one batch sent, and what came of it noted; or, in a dry run, what would have.
 *      mark ──▶ gather ──▶ [sweep] ──▶ report
 *  Leaves    what a call tells of the living to learn, what it removed of whom to removals.
 *  Promises  of calls under way at once each notes what it removed before another one, which found that gone, concludes anything.
 */
import type { Removal } from '../../domain/removal.ts';
import { keysIn, type SweepResult } from '../../redis/sweep.ts';
import { type Beat, BeatState } from '../../store/records.ts';
import type { RunContext } from '../context.ts';
import { type Batch, release } from './batch.ts';
import { countBatch } from './count.ts';
import { learn } from './learn.ts';
import { removedBy, sweptIn, type Swept } from './removals.ts';

/** Sweeps one batch; whether all was still as judged. If not, nothing was removed and the store knows more. */
export async function sweepBatch(run: RunContext, batch: Batch): Promise<boolean> {
  try {
    return await attemptBatch(run, batch);
  } finally {
    release(batch);
  }
}

/** What a dry run does instead. */
async function attemptDry(run: RunContext, batch: Batch): Promise<true> {
  const { tally, observer } = run;
  const counted = await countBatch(run, batch);
  const { list } = observer;
  const removals = list === undefined ? [] : sweptIn(removedBy(run, batch, counted));
  tally.counted += batch.going.length;
  observer.progress?.('sweep', tally);
  for (const beat of batch.going) leave(run, beat);
  await list?.(removals);
  return true;
}

/** The last of it went, and was told with all that went of it before. */
function leave({ store }: RunContext, beat: Beat): void {
  store.become(beat, BeatState.gone);
  store.gone.forget(beat);
}

async function attemptBatch(run: RunContext, batch: Batch): Promise<boolean> {
  if (run.dryRun) return await attemptDry(run, batch);
  const { tally, observer } = run;
  const told = await send(run, batch);
  if ('swept' in told) {
    await learn(run, batch, told);
    return false;
  }
  observer.progress?.('sweep', tally);
  await observer.list?.(told.listed);
  return true;
}

/** Sends it, and notes what went; until then it is known whose heartbeats it is to remove. */
async function send(run: RunContext, batch: Batch): Promise<(SweepResult & { swept: false }) | Listed> {
  const { node, leaving } = run;
  let end = (): void => {};
  const noted = new Promise<void>((resolve) => {
    end = resolve;
  });
  for (const beat of batch.going) leaving.set(beat, noted);
  try {
    const result = await node.sweep(batch);
    node.paces.tell('sweep', keysIn(batch), result.ms);
    return result.swept ? note(run, batch, result) : result;
  } finally {
    for (const beat of batch.going) leaving.delete(beat);
    end();
  }
}

interface Listed {
  readonly listed: readonly Removal[];
}

function note(run: RunContext, batch: Batch, result: Swept): Listed {
  const { store, tally, schema, observer } = run;
  tally.chunks++;
  const trashed = run.trash !== null;
  for (const [family, removed] of result.removed.entries()) tally.remove(family, removed, trashed);
  tally.remove(schema.heartbeatFamily, result.heartbeats, trashed);
  run.mixedFamilies.learn(batch.families, result.removed);
  if (result.unsettled !== undefined) {
    observer.progress?.('sweep', tally);
    throw result.unsettled;
  }
  const isTold = observer.removed !== undefined || observer.list !== undefined;
  // Of some another call may have told meanwhile that nothing was left: they are counted as never there.
  const going = batch.going.filter((beat) => store.isStale(beat));
  const removed = isTold ? removedBy(run, { ...batch, going }, result) : null;
  if (removed !== null) observer.removed?.(removed);
  const listed = removed === null || observer.list === undefined ? [] : sweptIn(removed);
  tally.swept += going.length;
  for (const beat of going) {
    if (store.stateOf(beat) === BeatState.lapsed) tally.lapsedSwept++;
    leave(run, beat);
  }
  return { listed };
}
