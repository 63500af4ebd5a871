/** standing: who those are that could own something: their heartbeats, read and judged as a run does, and entered in its store.
 *
 *  Owns      finding the heartbeats of given ids: by their names where those follow, else by a scan for these ids alone.
 *  Leaves    judging them to cleanup; what was seen of those that have none to the run's sightings.
 *  Promises  reads only; after it, whatever the run's store says of these ids a full run's would say.
 */
import { atNodes, type RunContext } from '../cleanup/context.ts';
import { type Judged, judgeEach } from '../cleanup/scan/judgement.ts';
import { recallLapsed } from '../cleanup/scan/lapsed.ts';
import { beatingIn } from '../cleanup/ownership/beating.ts';
import { NO_SWARM } from '../cleanup/ownership/spellers.ts';
import { stateOf } from '../cleanup/guards/state.ts';
import { walk } from '../cleanup/scan/walk.ts';
import { silentSeconds } from '../domain/heartbeat.ts';
import { type Sighting, silentSince } from '../domain/sighting.ts';
import { StringHeartbeats } from '../redis/kinds/stringHeartbeats.ts';
import { globOfIds } from '../schema/glob.ts';
import { isIdOf } from '../schema/keySchema.ts';
import type { Found } from '../store/records.ts';
import type { Owner, OwnerState } from './entry.ts';

/** Somebody whose name is in what was asked about. */
export interface Candidate {
  readonly id: Buffer;
  /** `null`: in any swarm, or there are none. */
  readonly swarm: Buffer | null;
  /** As the matcher counts them: negative when one of them is empty. */
  readonly segments: number;
}

interface Heartbeat extends Found {
  readonly key: Buffer;
}

function slice(bytes: Buffer) {
  return { bytes, from: 0, to: bytes.length };
}
const AT_RISK = 1 / 2;

/** Tells pairs of id and swarm apart. */
export function pairOf(id: Uint8Array, swarm: Uint8Array | null): string {
  const texts = [id, swarm].map((bytes) => (bytes === null ? null : Buffer.from(bytes).toString('latin1')));
  return JSON.stringify(texts);
}

/** Of everybody who may beat in this key. */
function heartbeatsIn({ reader }: RunContext, key: Buffer): readonly Heartbeat[] {
  if (reader.read(key) !== 'heartbeat') return [];
  const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = reader;
  const swarm = swarmFrom === -1 ? null : { bytes: key, from: swarmFrom, to: swarmTo };
  const found = { id: { bytes: key, from: idFrom, to: idTo }, idSegments, swarm };
  return beatingIn(reader, key, found).map((one) => ({ ...one, key }));
}

function idOf({ key, id }: Heartbeat): Buffer {
  return key.subarray(id.from, id.to);
}
function swarmOf({ key, swarm }: Heartbeat): Buffer | null {
  return swarm && key.subarray(swarm.from, swarm.to);
}

/** The heartbeat that this one would have; `null` where none can have that name. */
function spelled(run: RunContext, id: Buffer, swarm: Buffer | null): Heartbeat | null {
  const name = run.spellers.heartbeat.nameOf(slice(id), swarm === null ? NO_SWARM : slice(swarm));
  const wanted = pairOf(id, swarm);
  return heartbeatsIn(run, name).find((found) => pairOf(idOf(found), swarmOf(found)) === wanted) ?? null;
}

/** The heartbeats of ids in all swarms. */
export type Find = (run: RunContext, ids: readonly Buffer[]) => Promise<readonly Heartbeat[]>;

/** By one pass for all of these ids: who asks for some of them is told what was there then. */
export async function findAtOnce(run: RunContext, ids: readonly Buffer[]): Promise<Find> {
  const byId = new Map(ids.map((id) => [id.toString('latin1'), [] as Heartbeat[]]));
  for (const heartbeat of await scanned(run, ids)) byId.get(idOf(heartbeat).toString('latin1'))?.push(heartbeat);
  return async (_, wanted) => wanted.flatMap((id) => byId.get(id.toString('latin1')) ?? []);
}

/** One pass with the ids in its pattern. */
async function scanned(run: RunContext, ids: readonly Buffer[]): Promise<Heartbeat[]> {
  if (ids.length === 0) return [];
  const wanted = new Set(ids.map((id) => id.toString('latin1')));
  const found: Heartbeat[] = [];
  for (const here of atNodes(run)) {
    for await (const page of walk(here, globOfIds(run.schema.heartbeat, [...wanted]))) {
      for (const key of page) {
        found.push(...heartbeatsIn(run, key).filter((one) => wanted.has(idOf(one).toString('latin1'))));
      }
    }
  }
  return found;
}

function ownerOf(run: RunContext, heartbeat: Heartbeat, judged: Judged): Owner {
  const known = { coordinator: idOf(heartbeat), swarm: swarmOf(heartbeat), heartbeat: heartbeat.key };
  const { state } = judged;
  if (state === 'unreadable') {
    return { ...known, state, silenceSeconds: null, unreadable: judged.why, lives: true };
  }
  const { silentSeconds: silenceSeconds } = judged;
  const isAtRisk = state === 'active' && silenceSeconds > run.staleAfterSeconds * AT_RISK;
  return { ...known, state: isAtRisk ? 'atRisk' : state, silenceSeconds, unreadable: null, lives: state !== 'stale' };
}

/** Reads these, and enters them as `mark` would. */
async function judged(run: RunContext, all: readonly Heartbeat[]): Promise<Owner[]> {
  const { store } = run;
  const owners: Owner[] = [];
  const heartbeats = new StringHeartbeats(run.node);
  for (let at = 0; at < all.length; ) {
    const some = all.slice(at, at + heartbeats.most);
    at += some.length;
    const readings = await heartbeats.read(some.map(({ key }) => key));
    await judgeEach(run, some, readings, (found, reading, judgement) => {
      if (store.has(found)) return;
      owners.push(ownerOf(run, found, judgement));
      if (judgement.state !== 'stale') store.enterLiving(found);
      else store.enterStale(found, Math.ceil(judgement.beatAt / 1000), heartbeats.proofOf(reading));
    });
  }
  return owners;
}

/** Those of the wanted that earlier runs saw, entered as a run would. */
async function recalled(run: RunContext, isWanted: (sighting: Sighting) => boolean): Promise<Sighting[]> {
  const { sightings } = run;
  if (sightings === null) return [];
  const seen: Sighting[] = [];
  const earlier = async function* () {
    for await (const block of sightings.earlier()) {
      const some: Sighting[] = [];
      for (const sighting of block) {
        if (!isWanted(sighting)) continue;
        const { coordinator, swarm } = sighting;
        const copy = { ...sighting, coordinator: Buffer.from(coordinator), swarm: swarm && Buffer.from(swarm) };
        some.push(copy);
        seen.push(copy);
      }
      yield some;
    }
  };
  await recallLapsed({ ...run, sightings: { earlier, see: () => {}, keep: async () => {} } });
  return seen;
}

function lapsedOwner(run: RunContext, id: Buffer, swarm: Buffer | null, sighting: Sighting): Owner {
  const { isGivenBack = false } = sighting;
  const clock = run.target.lapsedClock;
  const beatAtSeconds = silentSince(sighting, clock.nowSeconds);
  const state = stateOf(run, slice(id), beatAtSeconds * 1000, clock);
  const shown: OwnerState = state === 'active' || state === 'stale' ? 'lapsed' : state;
  const silenceSeconds = silentSeconds(beatAtSeconds * 1000, clock);
  const known = { coordinator: id, swarm, heartbeat: null, unreadable: null };
  return { ...known, state: shown, silenceSeconds, lives: isGivenBack || state !== 'stale', isGivenBack };
}

/** The ids of those whose heartbeats' names do not follow. */
export function anywhereAmong({ schema }: RunContext, candidates: readonly Candidate[]): Buffer[] {
  return schema.heartbeatDerivable ? [] : candidates.flatMap(({ id, swarm }) => (swarm === null ? [id] : []));
}

/** Who of the candidates beats, or was seen to; those of whom nothing is known are left out. */
async function knownAmong(run: RunContext, candidates: readonly Candidate[], find: Find): Promise<Owner[]> {
  const { schema } = run;
  const anywhere = anywhereAmong(run, candidates);
  const follow = candidates.flatMap(({ id, swarm }) =>
    swarm !== null || schema.heartbeatDerivable ? (spelled(run, id, swarm) ?? []) : [],
  );
  const owners = await judged(run, [...follow, ...(await find(run, anywhere))]);
  const beating = new Set(owners.map(({ coordinator, swarm }) => pairOf(coordinator, swarm)));
  const pairs = new Set(follow.map((heartbeat) => pairOf(idOf(heartbeat), swarmOf(heartbeat))));
  const ids = new Set(anywhere.map((id) => id.toString('latin1')));
  const seen = await recalled(
    run,
    ({ coordinator, swarm }) =>
      ids.has(Buffer.from(coordinator).toString('latin1')) || pairs.has(pairOf(coordinator, swarm)),
  );
  const lapsed = new Map<string, Owner>();
  for (const sighting of seen) {
    const { coordinator, swarm } = sighting;
    const [id, its] = [Buffer.from(coordinator), swarm && Buffer.from(swarm)];
    const pair = pairOf(id, its);
    const heartbeat = spelled(run, id, its);
    if (beating.has(pair) || heartbeat === null || !isIdOf(schema, heartbeat.idSegments)) continue;
    const owner = lapsedOwner(run, id, its, sighting);
    const known = lapsed.get(pair);
    if (known === undefined || (owner.silenceSeconds ?? 0) < (known.silenceSeconds ?? 0)) lapsed.set(pair, owner);
  }
  return [...owners, ...lapsed.values()];
}

/** Everybody who could own it, those who are known first; words that can be no id of the schema only where somebody beats so. */
export async function ownersAmong(
  run: RunContext,
  candidates: readonly Candidate[],
  find: Find = scanned,
): Promise<Owner[]> {
  const known = await knownAmong(run, candidates, find);
  const isKnown = ({ id, swarm }: Candidate) =>
    known.some((owner) => owner.coordinator.equals(id) && (swarm === null || owner.swarm?.equals(swarm) === true));
  const others = candidates
    .filter((candidate) => isIdOf(run.schema, candidate.segments) && !isKnown(candidate))
    .map(({ id, swarm }): Owner => {
      const nothing = { heartbeat: null, silenceSeconds: null, unreadable: null };
      const lives = run.isProtected?.(id.toString('latin1')) ?? false;
      return { coordinator: id, swarm, ...nothing, state: lives ? 'protected' : 'none', lives };
    });
  return [...known, ...others];
}
