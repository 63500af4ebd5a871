/** sweep: remove the keys of stale coordinators, chunk by chunk.
 *      mark ──▶ gather ──▶ [sweep] ──▶ report
 *  Owns      the order of removal, and what happens when a coordinator beat again meanwhile.
 *  Leaves    the proof and the removal itself, in one step, to redis/sweep.
 *  Promises  heartbeats go last, in the same call as their coordinator's other keys or after them (P3); a key goes only
 *            while all its owners' heartbeats are as they were judged (P1).
 */
import { countExisting } from '../redis/keyspace.ts';
import { keysIn, MOST_KEYS, type SweepResult, sweep } from '../redis/sweep.ts';
import type { Census } from './census.ts';
import { type Chunk, chunkOfShared, chunkOfUnits, slicesOf, type Unit, unitOf } from './chunk.ts';
import { inFlight, pause, type RunContext } from './context.ts';
import { steadily } from './steadily.ts';
import { type Holdings, namesIn, type SharedKey } from './holdings.ts';

/** Brings the census in line with what the call saw, which removed nothing. */
const learn = (run: RunContext, census: Census, chunk: Chunk, result: SweepResult & { swept: false }): void => {
  // Another chunk that was under way with the same heartbeat may have told already: each counts once.
  const news = (positions: readonly number[]) =>
    positions.flatMap((at) => chunk.judged[at] ?? []).filter((heartbeat) => census.holds(heartbeat));
  for (const heartbeat of news(result.revived)) {
    census.revive(heartbeat);
    run.tally.revived++;
  }
  for (const heartbeat of news(result.vanished)) {
    // It expired, or another run swept it: for this run it was never there.
    census.forget([heartbeat]);
    run.tally.stale--;
  }
  for (const at of result.born) census.born(chunk.absent[at] ?? '');
};

/** What a dry run does instead: counts what exists. */
const countChunk = async ({ calls, paces, schema, tally }: RunContext, chunk: Chunk): Promise<void> => {
  for (const [family, keys] of chunk.families.entries()) {
    const { count, ms } = await countExisting(calls, keys);
    paces.read.learn(keys.length, ms);
    tally.add(family, count);
  }
  if (chunk.withHeartbeats) tally.add(schema.heartbeatFamily, chunk.judged.length);
};

/** Sweeps one chunk; whether all was still as judged. If not, nothing was removed and the census knows more. */
const sweepChunk = async (run: RunContext, census: Census, chunk: Chunk): Promise<boolean> => {
  const { tally, schema, paces } = run;
  if (run.dryRun) {
    await countChunk(run, chunk);
    return true;
  }
  const result = await steadily(run, paces.sweep, () => sweep(run.calls, chunk));
  paces.sweep.learn(keysIn(chunk), result.ms);
  if (!result.swept) {
    learn(run, census, chunk, result);
    return false;
  }
  tally.chunks++;
  for (const [family, removed] of result.removed.entries()) tally.add(family, removed);
  tally.add(schema.heartbeatFamily, result.heartbeats);
  if (chunk.withHeartbeats) tally.swept += chunk.judged.length;
  run.observer.progress?.('sweep', tally);
  return true;
};

/** Sweeps these ids in one call, and again without those that beat meanwhile; one too large for a call in slices. */
const settle = async (
  run: RunContext,
  census: Census,
  held: Holdings | null,
  units: readonly Unit[],
): Promise<void> => {
  const [first] = units;
  if (first === undefined) return;
  const again = ({ id }: Unit) => unitOf(run.schema, census, held, id) ?? [];
  if (units.length === 1 && !first.partial && first.size > run.paces.sweep.size) {
    const joint = held?.joint.get(first.id);
    if (held && joint) {
      // With the proof of others they would not fit: they go before the rest.
      held.joint.delete(first.id);
      await sweepShared(run, census, joint);
      return await settle(run, census, held, [again(first)].flat());
    }
    for (const chunk of slicesOf(run.schema, first, () => run.paces.sweep.size)) {
      if (!(await pause(run))) return;
      if (!(await sweepChunk(run, census, chunk))) return await settle(run, census, held, [again(first)].flat());
    }
    return;
  }
  if (!(await sweepChunk(run, census, chunkOfUnits(run.schema, units)))) {
    return await settle(run, census, held, units.flatMap(again));
  }
  for (const unit of units.filter(({ partial }) => partial)) {
    census.forget(unit.judged);
    // One by one: with the last of an id's heartbeats come the keys without a swarm, however many they are.
    if (await pause(run)) await settle(run, census, held, [again(unit)].flat());
  }
};

async function* unitChunks(run: RunContext, census: Census, held: Holdings | null) {
  let units: Unit[] = [];
  let size = 0;
  for (const id of census.stale.keys()) {
    const unit = unitOf(run.schema, census, held, id);
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
export const sweepCoordinators = async (run: RunContext, census: Census, held: Holdings | null): Promise<void> => {
  await inFlight(run, unitChunks(run, census, held), async (units) => {
    await settle(run, census, held, units);
  });
};

/** Sweeps, in advance of their coordinators, keys that were gathered: the heartbeats stay (P3). */
export const sweepGathered = async (run: RunContext, census: Census, held: Holdings): Promise<void> => {
  const owned: SharedKey[] = [];
  for (const [family, byOwner] of held.owned.entries()) {
    for (const [id, names] of byOwner) {
      if (!census.stale.has(id) || census.lives(id)) continue;
      const owners = [{ coordinator: id, swarm: null }];
      for (const key of new Set(namesIn(names))) owned.push({ family, key, owners, derivable: false });
    }
  }
  await sweepShared(run, census, owned);
};

async function* sharedSlices(run: RunContext, census: Census, shared: readonly SharedKey[]) {
  let slice: SharedKey[] = [];
  let size = 0;
  for (const key of shared) {
    const verdict = census.verdict(key.owners);
    if (!verdict.go) continue;
    const weight = 1 + verdict.judged.length + verdict.absent.length;
    if (weight > MOST_KEYS) {
      run.observer.warn?.('a key that thousands of coordinators could own is kept: their proof does not fit one call');
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
}

/** Sweeps keys of several owners, each with the proof of them all, before any of their heartbeats goes. */
export const sweepShared = async (run: RunContext, census: Census, shared: readonly SharedKey[]): Promise<void> => {
  await inFlight(run, sharedSlices(run, census, shared), async (slice) => {
    for (;;) {
      const chunk = chunkOfShared(run.schema, census, slice);
      if (chunk === null || (await sweepChunk(run, census, chunk))) return;
    }
  });
};
