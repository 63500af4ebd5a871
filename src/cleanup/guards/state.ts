/** state: what becomes of a coordinator in this run, by its silence and what an operator has said. */
import { type Clock, silentSeconds } from '../../domain/heartbeat.ts';
import type { Slice } from '../../store/arena.ts';
import { BeatState } from '../../store/records.ts';
import { breathe, STEPS_AT_ONCE } from '../../store/breath.ts';
import type { Run } from '../context.ts';

/** The states of who can be judged. Only a stale one goes. */
export type State = 'active' | 'stale' | 'held' | 'protected';

/** The state of somebody who last beat at this instant, in ms since the epoch. */
export function stateOf({ hold, isProtected, staleAfterSeconds }: Run, id: Slice, beatAt: number, clock: Clock): State {
  const silence = silentSeconds(beatAt, clock);
  if (silence <= staleAfterSeconds) return 'active';
  if (isProtected?.(Buffer.from(id.bytes.subarray(id.from, id.to)).toString('latin1'))) {
    return 'protected';
  }
  if (!hold.holds(silence)) return 'stale';
  hold.note(silence, clock.nowSeconds);
  return 'held';
}

/**
 * Holds the stale ones once it shows that many fell silent together: those who have been silent for less than twice the
 * threshold live as far as this run goes.
 */
export async function holdIfSudden(run: Run): Promise<void> {
  const { store, tally, hold, observer } = run;
  if (!hold.begins(tally.active)) return;
  let steps = 0;
  let turned = 0;
  for (const id of store.ids()) {
    if (++steps % STEPS_AT_ONCE === 0) await breathe();
    for (const beat of store.beatsOf(id)) {
      const lapsed = store.stateOf(beat) === BeatState.lapsed;
      const clock = lapsed ? run.target.lapsedClock : run.target.nodes[0].clock;
      if (!store.isStale(beat)) continue;
      if (stateOf(run, store.nameOf(id), store.beatAtSecondsOf(beat) * 1000, clock) !== 'held') continue;
      store.become(beat, BeatState.alive);
      tally.stale--;
      if (lapsed) tally.lapsed--;
      tally.held++;
      turned++;
    }
  }
  // The others come with their partitions. Whether a run is refused, or goes on, is decided before.
  tally.aboutToBeHeld = Math.min(hold.foreseen - turned, store.partitions.awaited);
  if (tally.aboutToBeHeld > 0) hold.note(hold.longestForeseen, run.target.nodes[0].clock.nowSeconds);
  observer.warn?.(
    `only ${tally.active} coordinators are active, far fewer than in the last completed run: those that fell silent are held, ` +
      'and swept once they have been silent for twice the threshold, or at once with --force',
  );
}
