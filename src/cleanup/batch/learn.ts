/** learn: what a call that removed nothing tells of those it was for: who beat again, was born, or vanished.
 *      mark ──▶ gather ──▶ [sweep] ──▶ report
 */
import type { SweepResult } from '../../redis/sweep.ts';
import { type Beat, BeatState, Left, NO_BEAT } from '../../store/records.ts';
import type { Batch } from './batch.ts';
import type { RunContext } from '../context.ts';
import { learnBorn } from '../ownership/elsewhere.ts';
import { forget, leftNothing } from '../scan/lapsed.ts';

/** Brings the store in line with what the call saw, which removed nothing. */
export async function learn(run: RunContext, batch: Batch, result: SweepResult & { swept: false }): Promise<void> {
  const { store, tally, keys } = run;
  const at = (beats: readonly Beat[], positions: readonly number[]) => positions.flatMap((one) => beats[one] ?? []);
  // Another call that was under way with the same heartbeat may have told already: each counts once.
  for (const beat of at(batch.judgedBeats, result.revived)) {
    if (store.stateOf(beat) === BeatState.stale) revive(run, beat);
  }
  const absent = result.born.length > 0 ? batch.absent.texts() : [];
  for (const position of result.born) {
    const beat = batch.absentBeats[position] ?? NO_BEAT;
    if (beat === NO_BEAT) learnBorn(run, Buffer.from(absent[position] ?? '', 'latin1'));
    else if (store.stateOf(beat) === BeatState.lapsed) revive(run, beat);
    else store.revive(beat, run.node.clock.nowSeconds);
  }
  for (const beat of at(batch.judgedBeats, result.vanished)) {
    // Another call of this run may be to remove it, and has yet to note that: it would else pass for never there.
    await run.leaving.get(beat);
    if (store.stateOf(beat) !== BeatState.stale) continue;
    // It expired: from now on its absence is the proof. Or another run swept it: then there is nothing left of it.
    store.become(beat, BeatState.lapsed);
    tally.lapsed++;
    // Of what it left a part may have gone before, and another be found yet.
    const isSomewhere = keys.arePart && store.hasLeft(beat, Left.going);
    const nothing = !isSomewhere && (await leftNothing(run, beat));
    // Another call may have told more of it meanwhile.
    if (nothing && store.stateOf(beat) === BeatState.lapsed) forget(run, beat);
  }
}

function revive({ store, tally, node }: RunContext, beat: Beat): void {
  if (store.stateOf(beat) === BeatState.lapsed) tally.lapsed--;
  // It has beaten after the run began.
  store.revive(beat, node.clock.nowSeconds);
  tally.revived++;
}
