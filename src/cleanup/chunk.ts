/** chunk: what one call removes, put together from the census as it stands. */
import { identify, type KeySchema } from '../domain/keySchema.ts';
import { derive, type Owner } from '../domain/template.ts';
import { Bulk } from '../redis/bulk.ts';
import type { SweepChunk } from '../redis/sweep.ts';
import type { Census, Heartbeat } from './census.ts';
import { type Key, NO_KEY } from './holdings.ts';
import { verdictOn } from './ownership.ts';
import type { Id } from './roster.ts';

/** A chunk whose heartbeats are known as the census knows them. */
export interface Chunk extends SweepChunk {
  readonly heartbeats: readonly Heartbeat[];
}

/** One coordinator id: its stale heartbeats, and the keys that are theirs alone. */
export interface Unit {
  readonly id: Id;
  readonly heartbeats: readonly Heartbeat[];
  /** Not all its heartbeats fit one call: what is left of the id is another unit, once these are gone. */
  readonly partial: boolean;
  /** Keys without a swarm in their name stay: the id lives in another swarm (P2), or not all its heartbeats are here. */
  readonly lives: boolean;
  /** How many keys and values its removal takes, at most. */
  readonly size: number;
}

/** How many heartbeats of one id (in as many swarms), with the keys derived from them, one call may carry. */
const MOST_HEARTBEATS_WITH_KEYS = 2_000;

/** A value of this many bytes takes about as long to compare as a key to remove. */
const BYTES_LIKE_A_KEY = 512;

/** What can be removed for an id; `null` when none of its heartbeats is stale. */
export const unitOf = (census: Census, id: Id): Unit | null => {
  const { schema } = census;
  const most = Math.ceil(MOST_HEARTBEATS_WITH_KEYS / (1 + schema.derived.length));
  const found = census.staleOf(id, most + 1);
  if (found.length === 0) return null;
  const partial = found.length > most;
  const heartbeats = partial ? found.slice(0, most) : found;
  const lives = partial || census.lives(id);
  let size = heartbeats.length;
  for (const heartbeat of heartbeats) {
    const value = census.valueBytes(heartbeat);
    size += Math.floor((value.to - value.from) / BYTES_LIKE_A_KEY);
  }
  for (const { template } of schema.derived) size += template.hasSwarm ? heartbeats.length : lives ? 0 : 1;
  for (let key = census.holdings.firstOf(id); key !== NO_KEY; key = census.holdings.nextTo(key))
    size += census.holdings.weightOf(key);
  return { id, heartbeats, partial, lives, size };
};

/** Puts a chunk together. */
class Draft {
  readonly heartbeats: Heartbeat[] = [];
  readonly #keys = new Bulk(16_384);
  readonly #values = new Bulk(32_768);
  readonly #absent = new Set<string>();
  readonly #families: readonly Bulk[];

  constructor(readonly census: Census) {
    this.#families = census.schema.families.map(() => new Bulk(8_192));
  }

  family(position: number): Bulk {
    return this.#families[position] as Bulk;
  }

  prove(heartbeats: Iterable<Heartbeat>): void {
    const { census } = this;
    for (const heartbeat of heartbeats) {
      this.heartbeats.push(heartbeat);
      census.layout.heartbeat.spell(
        this.#keys,
        census.idBytes(census.ownerOf(heartbeat)),
        census.swarmBytes(heartbeat),
      );
      const { bytes, from, to } = census.valueBytes(heartbeat);
      this.#values.add(bytes, from, to);
    }
  }

  forbid(absent: Iterable<string>): void {
    for (const heartbeat of absent) this.#absent.add(heartbeat);
  }

  done(withHeartbeats: boolean): Chunk {
    const judged = { keys: this.#keys, values: this.#values };
    const absent = Bulk.of(this.#absent);
    return { heartbeats: this.heartbeats, judged, absent, families: this.#families, withHeartbeats };
  }
}

const isCovered = (judged: readonly Heartbeat[], heartbeats: readonly Heartbeat[]): boolean =>
  judged.length <= heartbeats.length && judged.every((heartbeat) => heartbeats.includes(heartbeat));

/** Whether a derived key is nobody else's; if it is, it was gathered, and goes with the proof of all its owners. */
const isOnlyTheirs = (schema: KeySchema, census: Census, key: string, heartbeats: readonly Heartbeat[]): boolean => {
  const identity = identify(schema, key);
  if (identity === null || identity.heartbeat || identity.owners.length > 1) return false;
  const verdict = verdictOn(census, identity.owners);
  return (
    verdict.kind === 'go' &&
    verdict.absent.length === 0 &&
    verdict.judged.every((judged) => heartbeats.includes(judged))
  );
};

const NO_SWARM = { bytes: Buffer.alloc(0), from: 0, to: 0 };

/** Adds one key that was found, if it may go with these heartbeats. Whether it did. */
const addFound = (draft: Draft, { id, heartbeats, lives }: Unit, key: Key): boolean => {
  const { census } = draft;
  const { bytes, from, to } = census.holdings.tailOf(key);
  const family = draft.family(census.holdings.familyOf(key));
  if (census.holdings.isJoint(key)) {
    const verdict = verdictOn(census, census.holdings.ownersOf(key));
    if (verdict.kind !== 'go' || !isCovered(verdict.judged, heartbeats)) return false;
    draft.forbid(verdict.absent);
    family.add(bytes, from, to);
    return true;
  }
  if (lives || census.holdings.isDerivable(key)) return false;
  const head = census.holdings.headOf(key);
  if (head === null) {
    family.add(bytes, from, to);
    return true;
  }
  const own = census.idBytes(id);
  family.begin(head.length + own.to - own.from + to - from);
  family.put(head, 0, head.length);
  family.put(own.bytes, own.from, own.to);
  family.put(bytes, from, to);
  family.end();
  return true;
};

/** Adds the keys whose names follow from the id and its swarms. */
const addDerived = (draft: Draft, { id, heartbeats, lives }: Unit): void => {
  const { census } = draft;
  const { schema, layout } = census;
  const own = census.idBytes(id);
  for (let i = 0; i < schema.derived.length; i++) {
    const { family, template, exclusive } = schema.derived[i] as KeySchema['derived'][number];
    const speller = layout.derived[i] as (typeof layout.derived)[number];
    if (!template.hasSwarm && lives) continue;
    for (const heartbeat of template.hasSwarm ? heartbeats : [null]) {
      const swarm = heartbeat === null ? NO_SWARM : census.swarmBytes(heartbeat);
      if (!exclusive) {
        const name = { coordinator: census.idText(id), swarm: swarm.bytes.toString('latin1', swarm.from, swarm.to) };
        const owner: Owner = heartbeat === null ? { ...name, swarm: null } : name;
        if (!isOnlyTheirs(schema, census, derive(template, owner), heartbeats)) continue;
      }
      speller.spell(draft.family(family), own, swarm);
    }
  }
};

/** Lets go of a chunk's names and values: nobody may ask for them any more. */
export const release = ({ judged, absent, families }: Chunk): void => {
  for (const bulk of [judged.keys, judged.values, absent, ...families]) bulk.clear();
};

export const chunkOfUnits = (census: Census, units: readonly Unit[]): Chunk => {
  const draft = new Draft(census);
  for (const unit of units) {
    draft.prove(unit.heartbeats);
    for (let key = census.holdings.firstOf(unit.id); key !== NO_KEY; key = census.holdings.nextTo(key))
      addFound(draft, unit, key);
    addDerived(draft, unit);
  }
  return draft.done(true);
};

/** A unit that alone is larger than a call: slices of its keys first, its heartbeats with the last (P3). */
export function* slicesOf(census: Census, unit: Unit, size: () => number): Generator<Chunk> {
  let draft = new Draft(census);
  let room = size() - unit.heartbeats.length;
  for (let key = census.holdings.firstOf(unit.id); key !== NO_KEY; key = census.holdings.nextTo(key)) {
    if (!addFound(draft, unit, key)) continue;
    room -= census.holdings.weightOf(key);
    if (room > 0) continue;
    draft.prove(unit.heartbeats);
    yield draft.done(false);
    draft = new Draft(census);
    room = size() - unit.heartbeats.length;
  }
  addDerived(draft, unit);
  draft.prove(unit.heartbeats);
  yield draft.done(true);
}

/** Keys of several owners, with every owner's proof; `null` when none of them may go any more. */
export const chunkOfShared = (census: Census, shared: readonly Key[]): Chunk | null => {
  const draft = new Draft(census);
  const heartbeats = new Set<Heartbeat>();
  for (const key of shared) {
    const verdict = verdictOn(census, census.holdings.ownersOf(key));
    if (verdict.kind !== 'go') continue;
    for (const heartbeat of verdict.judged) heartbeats.add(heartbeat);
    draft.forbid(verdict.absent);
    const { bytes, from, to } = census.holdings.tailOf(key);
    draft.family(census.holdings.familyOf(key)).add(bytes, from, to);
  }
  if (heartbeats.size === 0) return null;
  draft.prove(heartbeats);
  return draft.done(false);
};
