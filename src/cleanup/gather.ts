/** gather: which of the keys that only a scan can find may go, and which are nobody's.
 *      mark ──▶ [gather] ──▶ sweep ──▶ report
 *  Owns      matching the keys that were held to the census.
 *  Leaves    finding them to mark, the removal to sweep.
 *  Promises  reads nothing but what mark held, and writes nothing.
 */
import { heartbeatKeyOf } from '../domain/keySchema.ts';
import type { Owner } from '../domain/template.ts';
import type { Census } from './census.ts';
import type { RunContext } from './context.ts';
import { type Key, NO_KEY } from './holdings.ts';
import { verdictOn } from './ownership.ts';
import { type Id, NOBODY } from './roster.ts';

/** A key of a family whose orphans are swept, none of whose owners has a heartbeat. */
export interface Orphan {
  readonly family: number;
  readonly name: string;
  readonly owners: readonly Owner[];
}

export interface Gathered {
  /** Keys with stale owners of several ids, none of whom lives. */
  readonly shared: readonly Key[];
  /** Keys of several owners, none of whom has a heartbeat. */
  readonly sharedOrphans: readonly Key[];
}

/** A key that needs the absence of more heartbeats than this is swept by itself. */
const MOST_PROOF = 100;

/** The names of an id's own keys, each once: SCAN may return a key twice. */
function* namesOf(census: Census, id: Id): Generator<{ family: number; name: string }> {
  const first = census.holdings.firstOf(id);
  const several = first !== NO_KEY && census.holdings.nextTo(first) !== NO_KEY;
  const seen = new Set<string>();
  for (let key = first; key !== NO_KEY; key = census.holdings.nextTo(key)) {
    const name = census.holdings.nameOf(key, id);
    if (several && seen.has(name)) continue;
    seen.add(name);
    yield { family: census.holdings.familyOf(key), name };
  }
}

/** The keys of ids without any heartbeat, of the families whose orphans are swept. */
export function* orphansIn(census: Census, { sharedOrphans }: Gathered): Generator<Orphan> {
  const { orphanFamilies } = census.schema;
  if (orphanFamilies.size === 0) return;
  for (const id of census.ids()) {
    if (census.hasHeartbeat(id)) continue;
    const owners = [{ coordinator: census.idText(id), swarm: null }];
    for (const { family, name } of namesOf(census, id)) if (orphanFamilies.has(family)) yield { family, name, owners };
  }
  for (const key of sharedOrphans) {
    const family = census.holdings.familyOf(key);
    if (orphanFamilies.has(family))
      yield { family, name: census.holdings.nameOf(key), owners: census.holdings.ownersOf(key) };
  }
}

/** Of the orphans that several could own, each is counted in one round only: that of the first of them. */
const isCountedHere = (census: Census, owners: readonly Owner[]): boolean => {
  const [first] = owners;
  return first !== undefined && census.isHere(census.hashOf(first.coordinator));
};

/** Sorts what mark held: a key whose stale owners are all one id joins that id's own, to go in the same step (P3). */
export const gather = (run: RunContext, census: Census): Gathered => {
  const { schema, tally } = run;
  const shared: Key[] = [];
  const sharedOrphans: Key[] = [];
  if (schema.scanned.length === 0) return { shared, sharedOrphans };
  let orphans = 0;
  for (const id of census.ids()) {
    if (census.hasHeartbeat(id)) continue;
    for (const _ of namesOf(census, id)) orphans++;
  }
  for (const key of census.holdings.shared()) {
    const owners = census.holdings.ownersOf(key);
    const verdict = verdictOn(census, owners);
    if (verdict.kind === 'orphan' && isCountedHere(census, owners)) {
      orphans++;
      sharedOrphans.push(key);
    }
    // One that follows from its only owner goes with that one, gathered or not.
    if (verdict.kind !== 'go' || census.holdings.isDerivable(key)) continue;
    const [id = NOBODY, ...others] = new Set(verdict.judged.map((heartbeat) => census.ownerOf(heartbeat)));
    const fits = verdict.absent.length <= MOST_PROOF;
    if (id === NOBODY || others.length > 0 || !fits) shared.push(key);
    else census.holdings.join(id, key, owners.length);
  }
  tally.orphans = (tally.orphans ?? 0) + orphans;
  return { shared, sharedOrphans };
};

/** The heartbeats that must not exist for these owners to be nobody. */
export const guardsOf = (census: Census, owners: readonly Owner[]): string[] =>
  owners.flatMap((owner) => heartbeatKeyOf(census.schema, owner) ?? []);
