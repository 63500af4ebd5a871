/** holdings: the keys that a scan found, each kept with the id that owns it, or with the shared ones. */
import { identify, type KeySchema } from '../domain/keySchema.ts';
import type { Reading } from '../domain/reading.ts';
import type { Owner } from '../domain/template.ts';
import { type Held, NONE, textOf } from './arena.ts';
import { HashIndex } from './hashIndex.ts';
import type { Layout } from './layout.ts';
import type { Found } from './found.ts';
import { ID, type Id, NOBODY, type Roster } from './roster.ts';

/** A key that a scan found: the number of its record. */
export type Key = number & { readonly of: 'key' };
export const NO_KEY = NONE as Key;

/** Places in a record; `next` and `length` are words of four bytes. */
const KEY = { next: 0, family: 4, head: 5, weight: 6, length: 7, bytes: 11 };

/** How a key's name is kept: after one of the layout's heads and the id, or (these) whole. */
const WHOLE = 255;
const JOINT = 254;
/** The weight of a key whose name follows from its owner's: it goes without having been found. */
const DERIVABLE = 0;
const MOST_WEIGHT = 255;

interface Kept {
  readonly family: number;
  readonly head: number;
  readonly weight: number;
}

type Shared = Pick<Reading, 'family' | 'derivable' | 'owners'>;

export class Holdings {
  /** Shared keys by name: SCAN may return a key twice. */
  #names = new HashIndex();
  #firstShared = NO_KEY;

  constructor(
    private readonly schema: KeySchema,
    private readonly layout: Layout,
    private readonly roster: Roster,
  ) {}

  /** The memory held beside the arena. */
  get bytes(): number {
    return this.#names.bytes;
  }

  get sharedCount(): number {
    return this.#names.size;
  }

  /** Keeps the key of a row, which only one id could own. */
  hold({ keys, ids, idFrom, idTo, families, derivable }: Found, row: number): void {
    const id = ids[row] as Id;
    const key = keys[row] as Uint8Array;
    const head = this.layout.headOf(key, idFrom[row] as number);
    const kept = { family: families[row] as number, head: head ?? WHOLE, weight: derivable[row] === 1 ? DERIVABLE : 1 };
    this.#give(id, this.#add(this.roster.arena.partOf(id), kept, key, head === null ? 0 : (idTo[row] as number)));
  }

  /** Keeps a key that several could own, or one whose name holds a swarm, if one of them belongs to this round. */
  holdShared(key: Uint8Array, { family, derivable, owners }: Shared): void {
    const part = this.#partHereOf(owners);
    if (part === null) return;
    const hash = this.roster.rounds.hash(key, 0, key.length);
    const names = this.#names;
    for (let slot = names.probe(hash, hash); slot !== -1; slot = names.probe(hash, slot + 1)) {
      if (this.roster.arena.holds(names.recordAt(slot), KEY.length, KEY.bytes, key, 0, key.length)) return;
    }
    const kept = { family, head: WHOLE, weight: derivable ? DERIVABLE : 1 };
    this.#share(this.#add(part, kept, key, 0), hash);
  }

  #share(key: Key, hash: number): void {
    this.roster.arena.writeWord(key, KEY.next, this.#firstShared);
    this.#firstShared = key;
    this.#names.add(hash, key);
  }

  /**
   * The part of the first of them who belongs to the round under way, and might be why the key goes or is counted now;
   * `null` when nobody does. Names hold words that are nobody's id but stand in many of them: in a later round it is known
   * that these have no stale heartbeat. The first owner's round counts the key should it be an orphan.
   */
  #partHereOf(owners: readonly Owner[]): number | null {
    const { rounds } = this.roster;
    for (const [i, { coordinator }] of owners.entries()) {
      const { bytes, from, to } = this.roster.spelled(coordinator);
      const hash = rounds.hash(bytes, from, to);
      const part = rounds.partOf(hash);
      if (rounds.isHere(part) && (i === 0 || rounds.current === 0 || rounds.mayWait(hash, bytes, from, to)))
        return part;
    }
    return null;
  }

  /** Forgets the shared keys of other rounds, after the rounds were cut; one whose part goes while an owner stays moves. */
  keepOnlyHere(): void {
    const { arena, rounds } = this.roster;
    let next = this.#firstShared;
    this.#names = new HashIndex();
    this.#firstShared = NO_KEY;
    while (next !== NO_KEY) {
      const key = next;
      next = this.nextTo(key);
      const owners = this.ownersOf(key);
      const part = rounds.isHere(arena.partOf(key)) ? arena.partOf(key) : this.#partHereOf(owners);
      if (part === null) continue;
      const { bytes, from, to } = this.tailOf(key);
      const hash = rounds.hash(bytes, from, to);
      const kept = { family: this.familyOf(key), head: WHOLE, weight: this.weightOf(key) };
      this.#share(part === arena.partOf(key) ? key : this.#add(part, kept, bytes.subarray(from, to), 0), hash);
    }
  }

  #add(part: number, { family, head, weight }: Kept, key: Uint8Array, from: number): Key {
    const { arena } = this.roster;
    const record = arena.allocate(part, KEY.bytes + key.length - from) as Key;
    arena.writeByte(record, KEY.family, family);
    arena.writeByte(record, KEY.head, head);
    arena.writeByte(record, KEY.weight, weight);
    arena.writeWord(record, KEY.length, key.length - from);
    arena.writeBytes(record, KEY.bytes, { bytes: key, from, to: key.length });
    return record;
  }

  #give(id: Id, key: Key): void {
    const { arena } = this.roster;
    arena.writeWord(key, KEY.next, arena.readWord(id, ID.key));
    arena.writeWord(id, ID.key, key);
  }

  /** The keys of several owners that are not anybody's alone so far. */
  *shared(): Generator<Key> {
    for (let key = this.#firstShared; key !== NO_KEY; ) {
      const next = this.nextTo(key);
      yield key;
      key = next;
    }
  }

  /** Gives a shared key to the one id with whose heartbeats it goes: it is no longer among the shared. */
  join(id: Id, key: Key, weight: number): void {
    this.roster.arena.writeByte(key, KEY.head, JOINT);
    this.roster.arena.writeByte(key, KEY.weight, Math.min(weight, MOST_WEIGHT));
    this.#give(id, key);
  }

  /** Forgets an id's joint keys, and returns them: they go by themselves. */
  part(id: Id): Key[] {
    const { arena } = this.roster;
    const joint: Key[] = [];
    let before = NO_KEY;
    for (let key = this.firstOf(id); key !== NO_KEY; ) {
      const next = this.nextTo(key);
      if (this.isJoint(key)) {
        joint.push(key);
        if (before === NO_KEY) arena.writeWord(id, ID.key, next);
        else arena.writeWord(before, KEY.next, next);
      } else before = key;
      key = next;
    }
    return joint;
  }

  firstOf(id: Id): Key {
    return this.roster.arena.readWord(id, ID.key) as Key;
  }

  nextTo(key: Key): Key {
    return this.roster.arena.readWord(key, KEY.next) as Key;
  }

  familyOf(key: Key): number {
    return this.roster.arena.readByte(key, KEY.family);
  }

  /** How many arguments it takes to remove it, with the proof of its other owners. */
  weightOf(key: Key): number {
    return this.roster.arena.readByte(key, KEY.weight);
  }

  #headCode(key: Key): number {
    return this.roster.arena.readByte(key, KEY.head);
  }

  isJoint(key: Key): boolean {
    return this.#headCode(key) === JOINT;
  }

  /** Its name follows from its owner's: it goes without having been found. */
  isDerivable(key: Key): boolean {
    return this.weightOf(key) === DERIVABLE;
  }

  /** What its name begins with, before the id; `null` where it is kept whole. */
  headOf(key: Key): Uint8Array | null {
    return this.layout.heads[this.#headCode(key)] ?? null;
  }

  /** The rest of its name, after head and id; all of it where there is no head. */
  tailOf(key: Key): Held {
    return this.roster.arena.sliceOf(key, KEY.bytes, this.roster.arena.readWord(key, KEY.length));
  }

  nameOf(key: Key, id: Id = NOBODY): string {
    const tail = textOf(this.tailOf(key));
    const head = this.headOf(key);
    return head === null ? tail : `${Buffer.from(head).toString('latin1')}${this.roster.idText(id)}${tail}`;
  }

  /** Everyone who could own a shared or joint key. */
  ownersOf(key: Key): readonly Owner[] {
    const identity = identify(this.schema, this.nameOf(key));
    return identity === null || identity.heartbeat ? [] : identity.owners;
  }
}
