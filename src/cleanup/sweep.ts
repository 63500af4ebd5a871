/** sweep: remove the things of stale coordinators, batch by batch.
 *      mark ──▶ gather ──▶ [sweep] ──▶ report
 *  Owns      the order of removal, and that what was found to live is left.
 *  Leaves    what comes of a call to attempt, what a batch holds to batch, the proof and the removal itself, in one step, to redis/sweep.
 *  Promises  heartbeats go last, in the same call as their coordinator's other things or after them (P3); a key goes only
 *            while all its owners' heartbeats are as they were judged (P1).
 */
import { NO_KEY } from '../store/heldKeys.ts';
import { type Id, NO_BEAT } from '../store/records.ts';
import { sweepBatch } from './batch/attempt.ts';
import { type Batch, batchOf, keysBatchOf, release } from './batch/batch.ts';
import { batches } from './batch/batches.ts';
import { slicesOf } from './batch/slices.ts';
import { type Unit, unitOf } from './batch/unit.ts';
import { breathe, STEPS_AT_ONCE } from '../store/breath.ts';
import { atWhole, inFlight, pause, type Run, type RunContext } from './context.ts';
import { NO_SWARM } from './ownership/spellers.ts';

/** These ids as they stand now; those of whom nothing is stale any more are left out. */
function unitsOf(run: RunContext, ids: readonly Id[]): Unit[] {
  return ids.flatMap((id) => unitOf(run, id) ?? []);
}

/** Sweeps these ids, in one call if they fit; again without whoever was found to live, until all that may go is gone. */
async function settle(run: RunContext, ids: readonly Id[]): Promise<void> {
  for (let units = unitsOf(run, ids); units.length > 0; units = unitsOf(run, ids)) {
    const [first, ...others] = units;
    if (first === undefined) return;
    if (others.length > 0 && isLargerThanCalls(run, units)) {
      const half = Math.ceil(units.length / 2);
      for (const part of [units.slice(0, half), units.slice(half)]) {
        const some = part.map(({ id }) => id);
        await settle(run, some);
      }
      return;
    }
    const batch = others.length === 0 ? wholeOf(run, first) : batchOf(run, units);
    if (batch === null) {
      const ended = await settleInSlices(run, first, true);
      if (ended === 'stopped' || (ended === 'done' && !first.partial)) return;
    } else {
      if (await isTooLarge(run, batch, units)) return;
      if ((await sweepBatch(run, batch)) && units.every(({ partial }) => !partial)) return;
    }
    if (!(await pause(run))) return;
  }
}

/** Whether calls have become smaller by more than half since these were put together: the way is cut again and again. */
function isLargerThanCalls({ node }: RunContext, units: readonly Unit[]): boolean {
  return units.reduce((sum, { size }) => sum + size, 0) > 2 * node.paces.sweep.size;
}

/** All of a unit in one call; `null` where it does not fit one. */
function wholeOf(run: RunContext, unit: Unit): Batch | null {
  if (unit.size > run.node.paces.sweep.size) return null;
  const batch = batchOf(run, [unit]);
  if (proofIn(batch) <= mostProof(run)) return batch;
  // Whom its keys name besides was not counted.
  release(batch);
  return null;
}

/** @param withHeartbeats whether the heartbeats go with the last of its keys */
async function settleInSlices(
  run: RunContext,
  unit: Unit,
  withHeartbeats: boolean,
): Promise<'done' | 'again' | 'stopped'> {
  for (const batch of slicesOf(run, unit, () => run.node.paces.sweep.size, mostProof(run), withHeartbeats)) {
    if (await isTooLarge(run, batch, [unit])) return 'stopped';
    if (unit.stale.some((beat) => !run.store.isStale(beat))) {
      // Another call found it alive meanwhile.
      release(batch);
      return 'again';
    }
    if (!(await sweepBatch(run, batch))) return 'again';
    if (!(await pause(run))) return 'stopped';
  }
  return 'done';
}

/** Sweeps the keys that were found of these ids, and leaves their heartbeats, which prove those that are still to be found. */
async function settleKeys(run: RunContext, ids: readonly Id[]): Promise<void> {
  const keyUnits = () => ids.flatMap((id) => unitOf(run, id, true) ?? []);
  for (let units = keyUnits(); units.length > 0; units = keyUnits()) {
    const [first, ...others] = units;
    if (first !== undefined && others.length === 0) {
      const ended = await settleInSlices(run, first, false);
      if (ended === 'stopped') run.store.withheld.add(first.id);
      if (ended !== 'again') return;
    } else {
      const batch = keysBatchOf(run, units);
      if (proofIn(batch) > mostProof(run) || isLargerThanCalls(run, units)) {
        release(batch);
        for (const { id } of units) await settleKeys(run, [id]);
        return;
      }
      if (await sweepBatch(run, batch)) return;
    }
    if (!(await pause(run))) return;
  }
}

function proofIn({ judged, absent }: Batch): number {
  return judged.keys.count + absent.count;
}

/** How many heartbeats one call may prove. */
function mostProof({ node }: RunContext): number {
  return node.mostProofs;
}

/**
 * Proofs can't be cut: a key that roles of thousands of swarms share needs them all at once. What fits no call stays, with the
 * heartbeats of those it could belong to, or nobody would ever find it again (P3).
 */
async function isTooLarge(run: RunContext, batch: Batch, units: readonly Unit[]): Promise<boolean> {
  if (proofIn(batch) <= mostProof(run)) return false;
  release(batch);
  if (units.length > 1) {
    for (const { id } of units) await settle(run, [id]);
  } else {
    run.observer.warn?.('kept coordinators whose keys need the proof of thousands of others: it fits no call');
  }
  return true;
}

/** So many keys go in one step, where only some can go in one. */
const TOGETHER = 600;

/**
 * Of these ids, those together whose things may all go in one step: everybody, but in a cluster only who share a slot by their names, and
 * then all others.
 */
function inOneStep(run: RunContext, ids: readonly Id[]): readonly (readonly Id[])[] {
  const groups = new Map<number, { ids: Id[]; size: number }>();
  const others: Id[] = [];
  const full: Id[][] = [];
  for (const id of ids) {
    const home = homeOf(run, id);
    if (home === null) {
      others.push(id);
      continue;
    }
    let group = groups.get(home);
    const size = unitOf(run, id)?.size ?? 0;
    if (group === undefined || group.size + size > TOGETHER) {
      if (group !== undefined) full.push(group.ids);
      group = { ids: [], size: 0 };
      groups.set(home, group);
    }
    group.ids.push(id);
    group.size += size;
  }
  return [...full, ...[...groups.values()].map((group) => group.ids), others].filter((some) => some.length > 0);
}

function homeOf({ node, store, schema, spellers }: RunContext, id: Id): number | null {
  if (node.strategy !== 'cluster') return null;
  const beat = store.firstBeat(id);
  if (beat === NO_BEAT) return null;
  return node.homeOf(
    spellers.heartbeat.nameOf(store.nameOf(id), schema.heartbeatDerivable ? NO_SWARM : store.swarmOf(beat)),
  );
}

/** Sweeps every stale coordinator of the store, its heartbeat last. */
export async function sweepCoordinators(run: Run): Promise<void> {
  const here = atWhole(run);
  await inFlight(here, batches(here, false), async (ids) => {
    for (const some of inOneStep(here, ids)) await settle(here, some);
  });
}

/** Sweeps only the keys that were found, and lets go of them, so that there is room for more. */
export async function sweepKeys(run: Run): Promise<void> {
  const here = atWhole(run);
  await inFlight(here, batches(here, true), async (ids) => {
    for (const some of inOneStep(here, ids)) await settleKeys(here, some);
  });
  let steps = 0;
  for (const id of run.store.ids()) {
    if (++steps % STEPS_AT_ONCE === 0) await breathe();
    run.store.setKeys(id, NO_KEY);
  }
  run.keys.clear();
}
