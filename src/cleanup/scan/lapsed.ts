/** lapsed: who was seen to beat by an earlier run, or by this one, and has no heartbeat any more (P11).
 *  Owns      who of them still counts as living, and who is stale: by the last beat that was seen.
 *  Leaves    keeping what was seen to whoever gives the run its sightings.
 *  Promises  what can't be read or kept is said once, and the run goes on without.
 */
import { Failure } from '../../domain/failure.ts';
import { type Clock, silentSeconds } from '../../domain/heartbeat.ts';
import type { Outcome } from '../../domain/report.ts';
import { type Sighting, silentSince } from '../../domain/sighting.ts';
import { Bulk } from '../../redis/call/bulk.ts';
import { countExisting } from '../../redis/keyspace/keyspace.ts';
import { piecesOf } from '../../redis/pace/weight.ts';
import { isIdOf } from '../../schema/keySchema.ts';
import { type Beat, BeatState, type Found, Left, NO_BEAT } from '../../store/records.ts';
import { breathe, STEPS_AT_ONCE } from '../../store/breath.ts';
import { allOf, atReads, pause, type Run, type RunContext } from '../context.ts';
import { namesOf } from './left.ts';
import { makeRoom } from './room.ts';
import { stateOf } from '../guards/state.ts';
import { NO_SWARM } from '../ownership/spellers.ts';
import { wordsOf } from '../../redis/rights/refusals.ts';

/** Whether names exist is asked for so many in one call: they take Redis a tenth of a millisecond. */
const NAMES_ASKED = 200;
/** So many questions wait for their answers at once. */
const ASKED_TOGETHER = 200;

/** What a sighting says, as the heartbeat it was; `null` when no heartbeat of this schema can have been that (P8). */
function foundIn({ spellers, reader }: Run, { coordinator, swarm }: Sighting): Found | null {
  const id = { bytes: coordinator, from: 0, to: coordinator.length };
  const key = spellers.heartbeat.nameOf(id, swarm === null ? NO_SWARM : { bytes: swarm, from: 0, to: swarm.length });
  if (reader.read(key) !== 'heartbeat' || !isIdOf(reader.schema, reader.idSegments)) return null;
  const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = reader;
  if (idTo - idFrom !== coordinator.length || (swarmFrom === -1) !== (swarm === null)) return null;
  return {
    id: { bytes: key, from: idFrom, to: idTo },
    idSegments,
    swarm: swarm === null ? null : { bytes: key, from: swarmFrom, to: swarmTo },
  };
}

/** Where the same one was seen twice, the later beat counts. */
function hasBeatenSince({ store }: Run, found: Found): Beat {
  const beat = store.beatOf(found.id, found.swarm);
  return beat !== NO_BEAT && store.stateOf(beat) === BeatState.lapsed ? beat : NO_BEAT;
}

/** One who has been met, or seen twice: where it was lapsed, the later beat counts. */
function recallMet(run: Run, found: Found, sighting: Sighting, isNew: boolean, lapsedClock: Clock): void {
  const { store, tally, sightings } = run;
  const beat = hasBeatenSince(run, found);
  if (beat === NO_BEAT) {
    // Who was seen to beat and can't be judged now lives for all that anybody knows: its silence begins once its heartbeat is gone.
    if (isNew && run.unjudged.has(found.id.bytes)) sightings?.see(found.id, found.swarm, lapsedClock.nowSeconds);
    return;
  }
  const beatAt = sighting.beatAtSeconds * 1000;
  const state = stateOf(run, found.id, beatAt, lapsedClock);
  if (state === 'stale') return;
  store.revive(beat, sighting.beatAtSeconds);
  store.enterLiving(found);
  // Its record goes where memory is short.
  sightings?.see(found.id, found.swarm, sighting.beatAtSeconds);
  tally[state]++;
  tally.stale--;
  tally.lapsed--;
  if (state !== 'active') return;
  run.outlook?.seeLapsed(found.id.bytes, lapsedClock.nowSeconds - silentSeconds(beatAt, lapsedClock));
}

/** One who was given back: what could be its own stays, whatever was seen of it before. It is known on, but nobody's to count. */
function recallGivenBack(run: Run, found: Found, { beatAtSeconds }: Sighting, counts: boolean): void {
  const { store, tally, sightings } = run;
  const beat = hasBeatenSince(run, found);
  // An earlier partition, or an earlier try to read, did not know of it yet.
  const isAwaited = beat === NO_BEAT && store.wasStale(found);
  if (isAwaited) {
    store.partitions.awaited--;
    store.partitions.awaitedLapsed--;
  }
  if (beat !== NO_BEAT) store.revive(beat, beatAtSeconds);
  if (beat !== NO_BEAT || (isAwaited && !counts)) tally.forget(1, 1);
  store.enterLiving(found);
  sightings?.see(found.id, found.swarm, beatAtSeconds);
}

function recall(run: Run, seen: Sighting, counts: boolean, lapsedClock: Clock): void {
  const { store, tally, sightings } = run;
  const sighting = { ...seen, beatAtSeconds: silentSince(seen, lapsedClock.nowSeconds) };
  const found = foundIn(run, sighting);
  if (found === null) return;
  if (sighting.isGivenBack && (!store.has(found) || hasBeatenSince(run, found) !== NO_BEAT)) {
    recallGivenBack(run, found, sighting, counts);
    return;
  }
  const wasStale = store.wasStale(found);
  const isNew = counts || !wasStale;
  if (store.has(found)) {
    recallMet(run, found, sighting, counts || wasStale, lapsedClock);
    return;
  }
  const beatAt = sighting.beatAtSeconds * 1000;
  const state = stateOf(run, found.id, beatAt, lapsedClock);
  const silence = silentSeconds(beatAt, lapsedClock);
  // In a later partition: another run has left word of it since the first pass.
  if (isNew) tally.addSilence(silence, run.staleAfterSeconds);
  if (wasStale) {
    store.partitions.awaited--;
    store.partitions.awaitedLapsed--;
  }
  if (state === 'stale') {
    store.enterStale(found, sighting.beatAtSeconds, null);
    if (!isNew) return;
    run.hold.foresee(silence);
    tally.stale++;
    tally.lapsed++;
    return;
  }
  store.enterLiving(found);
  if (isNew && state === 'active') run.outlook?.seeLapsed(found.id.bytes, lapsedClock.nowSeconds - silence);
  tally[state]++;
  if (!isNew) tally.holdAwaited(1);
  // Once no keys are dropped any more it has as long to beat as anybody.
  sightings?.see(found.id, found.swarm, lapsedClock.evicts ? lapsedClock.nowSeconds : sighting.beatAtSeconds);
}

export interface Recalled {
  /** Whether earlier runs saw anybody. */
  any: boolean;
  /** Whether not all of it could be read. */
  failed: boolean;
  /** Whether the memory budget still holds the keys that were found. */
  fits: boolean;
}

/**
 * Enters everybody whom earlier runs saw and this one has not met. Where they can't be read, the observer is warned.
 * @param counts whether they are to be counted: in a run's later partitions they have been
 */
export async function recallLapsed(run: Run, counts = true): Promise<Recalled> {
  const recalled = { any: false, failed: false, fits: true };
  if (run.sightings === null) return recalled;
  const { lapsedClock } = run.target;
  try {
    for await (const sightings of run.sightings.earlier()) {
      for (const sighting of sightings) {
        recalled.any = true;
        recall(run, sighting, counts, lapsedClock);
      }
      recalled.fits = (await makeRoom(run, counts)) && recalled.fits;
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    run.observer.warn?.(`who beat before can not be read, so this run goes by heartbeats alone: ${wordsOf(error)}`);
    recalled.failed = true;
  }
  if (recalled.any && lapsedClock.evicts) {
    run.observer.warn?.(
      'who beat before and has no heartbeat now is kept: Redis drops keys for want of memory, and heartbeats may be among them',
    );
  }
  return recalled;
}

/**
 * Notes who is stale and stays, or came back meanwhile, so that the next run knows of them; and who went and left a key that
 * it shares with somebody who lives: should that one die, the key goes only if the other has not come back (P2).
 */
export async function noteLeft({ store, schema, sightings }: Run): Promise<void> {
  if (sightings === null) return;
  let steps = 0;
  for (const id of store.ids()) {
    if (++steps % STEPS_AT_ONCE === 0) await breathe();
    for (let beat = store.firstBeat(id); beat !== NO_BEAT; beat = store.nextBeat(beat)) {
      if (store.stateOf(beat) === BeatState.gone && !store.hasLeft(beat, Left.shared)) continue;
      const swarm = schema.heartbeatDerivable ? null : store.swarmOf(beat);
      sightings.see(store.nameOf(id), swarm, store.beatAtSecondsOf(beat));
    }
  }
}

/** Whether somebody waits for the run to leave: whoever takes it over looks anew. After one that was stopped nobody may for long. */
function isLeaving({ aborted, reason }: AbortSignal): boolean {
  return aborted && (reason as { readonly outcome?: Outcome } | undefined)?.outcome !== 'stopped';
}

/**
 * Keeps what was noted; where that is not possible, the observer is warned, unless it has heard that nothing can be read.
 * @param whole whether it was noted who is left; else nobody who was known is forgotten
 */
export async function keepSightings(
  { sightings, observer, signal }: Run,
  { failed }: Recalled,
  whole: boolean,
): Promise<void> {
  if (isLeaving(signal)) return;
  try {
    await sightings?.keep(!whole);
  } catch (error) {
    if (!failed) observer.warn?.(`who beats now can not be kept for the next run: ${wordsOf(error)}`);
  }
}

/** Whether there is nothing of this one: it left in good order, or another run was here. */
export async function leftNothing(run: RunContext, beat: Beat): Promise<boolean> {
  const { node } = run;
  const names = namesOf(run, beat).texts();
  for (const some of piecesOf(
    names,
    () => NAMES_ASKED,
    ({ length }) => length,
  )) {
    const slice = Bulk.of(some);
    const { count } = await node.steadily('read', () => countExisting(node.calls, slice));
    slice.clear();
    if (count > 0) return false;
  }
  return true;
}

/** Forgets the lapsed who left nothing: nobody was there to be swept. */
export async function forgetWhoLeftNothing(run: Run): Promise<void> {
  await forgetWhoLeftNothingAt(atReads(run));
}

async function forgetWhoLeftNothingAt(run: RunContext): Promise<void> {
  const { store } = run;
  let asked: Beat[] = [];
  const settle = async (): Promise<boolean> => {
    const answers = await allOf(asked.map((beat) => leftNothing(run, beat)));
    for (const [i, beat] of asked.entries()) if (answers[i]) forget(run, beat);
    asked = [];
    return await pause(run);
  };
  for (const id of store.ids()) {
    for (let beat = store.firstBeat(id); beat !== NO_BEAT; beat = store.nextBeat(beat)) {
      if (store.stateOf(beat) !== BeatState.lapsed || store.hasLeft(beat, Left.going)) continue;
      asked.push(beat);
      if (asked.length >= ASKED_TOGETHER && !(await settle())) return;
    }
  }
  await settle();
}

/** For this run it was never there. */
export function forget({ store, tally }: Run, beat: Beat): void {
  store.become(beat, BeatState.gone);
  tally.forget(1, 1);
}
