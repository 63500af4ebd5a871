/** sweep: remove the keys of stale coordinators, chunk by chunk.
 *      mark ──▶ gather ──▶ [sweep] ──▶ report
 *  Owns      the order of removal, and what happens when a coordinator beat again meanwhile.
 *  Leaves    the proof and the removal itself, in one step, to redis/sweep.
 *  Promises  heartbeats go last, in the same call as their coordinator's other keys or after them (P3); a key goes only
 *            while all its owners' heartbeats are as they were judged (P1).
 */
import { Bulk } from '../redis/bulk.ts';
import { countExisting } from '../redis/keyspace.ts';
import { keysIn, type SweepResult } from '../redis/sweep.ts';
import { type Census, State } from './census.ts';
import { type Chunk, chunkOfShared, chunkOfUnits, release, slicesOf, type Unit, unitOf } from './chunk.ts';
import { inFlight, pause, type RunContext } from './context.ts';
import type { Key } from './holdings.ts';
import { verdictOn } from './ownership.ts';
import { steadily } from './steadily.ts';

/** Brings the census in line with what the call saw, which removed nothing. */
const learn = (run: RunContext, census: Census, chunk: Chunk, result: SweepResult & { swept: false }): void => {
  // Another chunk that was under way with the same heartbeat may have told already: each counts once.
  const news = (positions: readonly number[]) =>
    positions
      .flatMap((at) => chunk.heartbeats[at] ?? [])
      .filter((heartbeat) => census.stateOf(heartbeat) === State.stale);
  for (const heartbeat of news(result.revived)) {
    census.become(heartbeat, State.active);
    run.tally.revived++;
  }
  for (const heartbeat of news(result.vanished)) {
    // It expired, or another run swept it: for this run it was never there.
    census.become(heartbeat, State.gone);
    run.tally.stale--;
  }
  if (result.born.length === 0) return;
  const absent = chunk.absent.texts();
  for (const at of result.born) census.born(Buffer.from(absent[at] ?? '', 'latin1'));
};

/** What a dry run does instead: counts what exists. */
const countChunk = async (run: RunContext, chunk: Chunk): Promise<void> => {
  const { calls, paces, schema, tally } = run;
  for (const [family, keys] of chunk.families.entries()) {
    // SCAN may have returned a key twice, and EXISTS would count it twice.
    const names = Bulk.of(new Set(keys.texts()));
    const { count, ms } = await steadily(run, paces.read, () => countExisting(calls, names));
    names.clear();
    paces.read.learn(keys.count, ms);
    tally.add(family, count);
  }
  if (chunk.withHeartbeats) tally.add(schema.heartbeatFamily, chunk.heartbeats.length);
};

/** Sweeps one chunk; whether all was still as judged. If not, nothing was removed and the census knows more. */
const sweepChunk = async (run: RunContext, census: Census, chunk: Chunk): Promise<boolean> => {
  try {
    return await attemptChunk(run, census, chunk);
  } finally {
    release(chunk);
  }
};

const attemptChunk = async (run: RunContext, census: Census, chunk: Chunk): Promise<boolean> => {
  const { tally, schema, paces } = run;
  if (run.dryRun) {
    await countChunk(run, chunk);
    return true;
  }
  const result = await steadily(run, paces.sweep, () => run.remover.sweep(chunk));
  paces.sweep.learn(keysIn(chunk), result.ms);
  if (!result.swept) {
    learn(run, census, chunk, result);
    return false;
  }
  tally.chunks++;
  for (const [family, removed] of result.removed.entries()) tally.add(family, removed);
  tally.add(schema.heartbeatFamily, result.heartbeats);
  if (chunk.withHeartbeats) {
    tally.swept += chunk.heartbeats.length;
    for (const heartbeat of chunk.heartbeats) census.become(heartbeat, State.gone);
  }
  run.observer.progress?.('sweep', tally);
  return true;
};

/** Fewer keys than this go in one step however small calls have become, so that who beats meanwhile keeps all (P3). */
const LEAST_SLICED = 256;

/** Sweeps these ids in one call, and again without those that beat meanwhile; one too large for a call in slices. */
const settle = async (run: RunContext, census: Census, units: readonly Unit[]): Promise<void> => {
  const [first] = units;
  if (first === undefined) return;
  const again = ({ id }: Unit) => unitOf(census, id) ?? [];
  if (units.length === 1 && !first.partial && first.size > Math.max(run.paces.sweep.size, LEAST_SLICED)) {
    const joint = census.holdings.part(first.id);
    if (joint.length > 0) {
      // With the proof of others they would not fit: they go before the rest.
      await sweepShared(run, census, joint);
      return await settle(run, census, [again(first)].flat());
    }
    for (const chunk of slicesOf(census, first, () => run.paces.sweep.size)) {
      if (!(await pause(run))) return;
      if (!(await sweepChunk(run, census, chunk))) return await settle(run, census, [again(first)].flat());
    }
    return;
  }
  if (!(await sweepChunk(run, census, chunkOfUnits(census, units)))) {
    return await settle(run, census, units.flatMap(again));
  }
  for (const unit of units.filter(({ partial }) => partial)) {
    // A dry run leaves them, but has counted them.
    for (const heartbeat of unit.heartbeats) census.become(heartbeat, State.gone);
    // One by one: with the last of an id's heartbeats come the keys without a swarm, however many they are.
    if (await pause(run)) await settle(run, census, [again(unit)].flat());
  }
};

async function* unitChunks(run: RunContext, census: Census) {
  let units: Unit[] = [];
  let size = 0;
  for (const id of census.staleIds()) {
    const unit = unitOf(census, id);
    if (unit === null) continue;
    if (units.length > 0 && size + unit.size > run.paces.sweep.size) {
      yield units;
      if (!(await pause(run))) return;
      units = [];
      size = 0;
    }
    units.push(unit);
    size += unit.size;
  }
  if (units.length > 0) yield units;
}

/** Sweeps every stale coordinator of the census, its heartbeat last. */
export const sweepCoordinators = async (run: RunContext, census: Census): Promise<void> => {
  await inFlight(run, unitChunks(run, census), async (units) => {
    await settle(run, census, units);
  });
};

async function* sharedSlices(run: RunContext, census: Census, shared: readonly Key[]) {
  let kept = 0;
  let slice: Key[] = [];
  let size = 0;
  for (const key of shared) {
    const verdict = verdictOn(census, census.holdings.ownersOf(key));
    if (verdict.kind !== 'go') continue;
    const weight = 1 + verdict.judged.length + verdict.absent.length;
    if (weight > run.remover.mostKeys) {
      kept++;
      continue;
    }
    if (slice.length > 0 && size + weight > run.paces.sweep.size) {
      yield slice;
      if (!(await pause(run))) return;
      slice = [];
      size = 0;
    }
    slice.push(key);
    size += weight;
  }
  if (slice.length > 0) yield slice;
  if (kept > 0)
    run.observer.warn?.(`kept ${kept} keys that thousands of coordinators could own: their proof fits no call`);
}

/** Sweeps keys of several owners, each with the proof of them all, before any of their heartbeats goes. */
export const sweepShared = async (run: RunContext, census: Census, shared: readonly Key[]): Promise<void> => {
  await inFlight(run, sharedSlices(run, census, shared), async (slice) => {
    for (;;) {
      const chunk = chunkOfShared(census, slice);
      if (chunk === null || (await sweepChunk(run, census, chunk))) return;
    }
  });
};
