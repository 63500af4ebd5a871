/** chunk: what one call removes, put together from the census as it stands. */
import { derive } from '../domain/template.ts';
import { identify, type KeySchema } from '../domain/keySchema.ts';
import type { SweepChunk } from '../redis/sweep.ts';
import type { Census, StaleHeartbeat } from './census.ts';
import { type Holdings, namesIn, type SharedKey } from './holdings.ts';

/** A chunk whose heartbeats are known as the census knows them. */
export interface Chunk extends SweepChunk {
  readonly judged: readonly StaleHeartbeat[];
}

/** One coordinator id: its stale heartbeats, and the keys that are theirs alone. */
export interface Unit {
  readonly id: string;
  /** Not all its heartbeats fit one call: what is left of the id is another unit, once these are gone. */
  readonly partial: boolean;
  readonly judged: readonly StaleHeartbeat[];
  /** Heartbeats that must not exist: of others who could own one of the keys. */
  readonly absent: readonly string[];
  readonly families: readonly (readonly string[])[];
  readonly size: number;
}

/** How many heartbeats of one id (in as many swarms), with the keys derived from them, one call may carry. */
const MOST_HEARTBEATS_WITH_KEYS = 2_000;

/**
 * What can be removed for an id; `null` when none of its heartbeats is stale any more. While the id lives in another
 * swarm, the keys without a swarm in their name stay (P2).
 */
export const unitOf = (schema: KeySchema, census: Census, held: Holdings | null, id: string): Unit | null => {
  const all = census.stale.get(id);
  if (all === undefined) return null;
  const most = Math.ceil(MOST_HEARTBEATS_WITH_KEYS / (1 + schema.derived.length));
  const partial = all.length > most;
  const judged = partial ? all.slice(0, most) : all;
  // Keys without a swarm in their name go with the last of the id's heartbeats.
  const lives = partial || census.lives(id);
  const families: string[][] = schema.families.map((_, family) => {
    const names = lives ? [] : namesIn(held?.owned[family]?.get(id));
    return names.length > 1 ? [...new Set(names)] : [...names];
  });
  let size = judged.length + families.reduce((sum, keys) => sum + keys.length, 0);
  for (const { family, template, exclusive } of schema.derived) {
    const owners = template.hasSwarm
      ? judged.map(({ owner }) => owner)
      : lives
        ? []
        : [{ coordinator: id, swarm: null }];
    for (const owner of owners) {
      const key = derive(template, owner);
      if (!exclusive && !isOnlyTheirs(schema, census, key, judged)) continue;
      families[family]?.push(key);
      size++;
    }
  }
  const absent = new Set<string>();
  for (const { family, key, owners } of held?.joint.get(id) ?? []) {
    const verdict = census.verdict(owners);
    if (!verdict.go || !verdict.judged.every((heartbeat) => judged.includes(heartbeat))) continue;
    families[family]?.push(key);
    for (const heartbeat of verdict.absent) absent.add(heartbeat);
    size++;
  }
  return { id, partial, judged, absent: [...absent], families, size: size + absent.size };
};

/** Whether a derived key is nobody else's; if it is, it was gathered, and goes with the proof of all its owners. */
const isOnlyTheirs = (schema: KeySchema, census: Census, key: string, judged: readonly StaleHeartbeat[]): boolean => {
  const identity = identify(schema, key);
  if (identity === null || identity.heartbeat || identity.owners.length > 1) return false;
  const verdict = census.verdict(identity.owners);
  return verdict.go && verdict.absent.length === 0 && verdict.judged.every((heartbeat) => judged.includes(heartbeat));
};

const emptyFamilies = (schema: KeySchema): string[][] => schema.families.map(() => []);

export const chunkOfUnits = (schema: KeySchema, units: readonly Unit[]): Chunk => {
  const families = emptyFamilies(schema);
  for (const unit of units) {
    for (const [family, keys] of unit.families.entries()) {
      for (const key of keys) families[family]?.push(key);
    }
  }
  const absent = new Set(units.flatMap((unit) => unit.absent));
  return { judged: units.flatMap(({ judged }) => judged), absent: [...absent], families, withHeartbeats: true };
};

/** A unit that alone is larger than a call: slices of its keys first, its heartbeats with the last (P3). */
export function* slicesOf(schema: KeySchema, unit: Unit, size: () => number): Generator<Chunk> {
  const rest = unit.families.flatMap((keys, family) => keys.map((key) => ({ family, key })));
  for (let from = 0; from < rest.length || from === 0; ) {
    const slice = rest.slice(from, from + Math.max(1, size() - unit.judged.length));
    from += Math.max(1, slice.length);
    const families = emptyFamilies(schema);
    for (const { family, key } of slice) families[family]?.push(key);
    yield { judged: unit.judged, absent: [], families, withHeartbeats: from >= rest.length };
  }
}

/** Keys of several owners, with every owner's proof; `null` when none of them may go any more. */
export const chunkOfShared = (schema: KeySchema, census: Census, shared: readonly SharedKey[]): Chunk | null => {
  const families = emptyFamilies(schema);
  const judged = new Set<StaleHeartbeat>();
  const absent = new Set<string>();
  for (const { family, key, owners } of shared) {
    const verdict = census.verdict(owners);
    if (!verdict.go) continue;
    families[family]?.push(key);
    for (const heartbeat of verdict.judged) judged.add(heartbeat);
    for (const heartbeat of verdict.absent) absent.add(heartbeat);
  }
  if (judged.size === 0) return null;
  return { judged: [...judged], absent: [...absent], families, withHeartbeats: false };
};
