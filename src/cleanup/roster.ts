/** roster: the coordinator ids that were found in a round, whatever swarms they are in. */
import { type Arena, type Held, NONE, PARTS, textOf } from './arena.ts';
import type { HashIndex } from './hashIndex.ts';
import { NameOrder } from './nameOrder.ts';
import type { Found } from './found.ts';
import type { Rounds } from './rounds.ts';

/** A coordinator id: the number of its record. */
export type Id = number & { readonly of: 'id' };
export const NOBODY = NONE as Id;

/** Places in a record; all but `lives` and `wasStale` are words of four bytes. `heartbeat` and `key` are the first of each. */
export const ID = { next: 0, heartbeat: 4, key: 8, lives: 12, wasStale: 13, length: 14, bytes: 18 };

/** What it takes to put one id in order. */
const ORDER_BYTES = 12;

export class Roster {
  readonly arena: Arena;
  readonly #index: HashIndex;
  /** The first and the last id of each part of the arena, where the ids of a part lie one behind the other. */
  readonly #first = new Uint32Array(PARTS).fill(NOBODY);
  readonly #last = new Uint32Array(PARTS).fill(NOBODY);
  #scratch = Buffer.alloc(256);

  constructor(readonly rounds: Rounds) {
    this.arena = rounds.arena;
    this.#index = rounds.ids;
  }

  /** The memory held, records of others in the same arena and what ordering will take included. */
  get bytes(): number {
    return this.arena.bytes + this.#index.bytes + ORDER_BYTES * this.size;
  }

  /** How many ids are known. */
  get size(): number {
    return this.#index.size;
  }

  /** Whether an id with this hash belongs to the round under way. */
  isHere(hash: number): boolean {
    return this.rounds.roundOf(hash) === this.rounds.current;
  }

  find(hash: number, bytes: Uint8Array, from: number, to: number): Id {
    const index = this.#index;
    for (let slot = index.probe(hash, hash); slot !== -1; slot = index.probe(hash, slot + 1)) {
      const id = index.recordAt(slot) as Id;
      if (this.arena.holds(id, ID.length, ID.bytes, bytes, from, to)) return id;
    }
    return NOBODY;
  }

  /** The record of an id, new if it was not known. */
  enter(hash: number, bytes: Uint8Array, from: number, to: number): Id {
    const known = this.find(hash, bytes, from, to);
    if (known !== NOBODY) return known;
    const { arena } = this;
    const part = this.rounds.partOf(hash);
    const id = arena.allocate(part, ID.bytes + to - from) as Id;
    arena.writeWord(id, ID.next, NONE);
    arena.writeWord(id, ID.heartbeat, NONE);
    arena.writeWord(id, ID.key, NONE);
    arena.writeByte(id, ID.lives, 0);
    arena.writeByte(id, ID.wasStale, 0);
    arena.writeWord(id, ID.length, to - from);
    arena.writeBytes(id, ID.bytes, { bytes, from, to });
    const last = this.#last[part] as Id;
    if (last === NOBODY) this.#first[part] = id;
    else arena.writeWord(last, ID.next, id);
    this.#last[part] = id;
    this.#index.add(hash, id);
    return id;
  }

  /**
   * Finds the ids of a page's keys, and enters those that were not known. Index first, then records, each for the whole page:
   * both lie anywhere in memory, and one after the other they would be waited for one by one.
   */
  enterAll({ keys, hashes, idFrom, idTo, ids, count }: Found): void {
    const { arena } = this;
    this.#index.probeAll(hashes, count, ids);
    for (let i = 0; i < count; i++) {
      const id = ids[i] as Id;
      const key = keys[i] as Uint8Array;
      const from = idFrom[i] as number;
      const to = idTo[i] as number;
      if (id !== NOBODY && arena.holds(id, ID.length, ID.bytes, key, from, to)) continue;
      ids[i] = this.enter(hashes[i] as number, key, from, to);
    }
  }

  /** Forgets the ids of other rounds, after the rounds were cut; each is shown once more before it goes. */
  protected keepOnlyHere(leave: (id: Id) => void): void {
    const isHere = (part: number) => this.rounds.isHere(part);
    for (const id of this.ids()) if (!isHere(this.arena.partOf(id))) leave(id);
    for (let part = 0; part < PARTS; part++) if (!isHere(part)) this.#first[part] = this.#last[part] = NOBODY;
    this.#index.keepOnly((id) => isHere(this.arena.partOf(id)));
  }

  *ids(): Generator<Id> {
    for (let part = 0; part < PARTS; part++) {
      let id = this.#first[part] as Id;
      for (; id !== NOBODY; id = this.arena.readWord(id, ID.next) as Id) yield id;
    }
  }

  /** Those that are wanted, the ones with neighbouring names together. */
  *inNameOrder(isWanted: (id: Id) => boolean): Generator<Id> {
    const order = new NameOrder(this.size, (id) => this.idBytes(id as Id));
    for (const id of this.ids()) if (isWanted(id)) order.add(id);
    for (const id of order.inOrder()) yield id as Id;
  }

  /** Whether this id has a living coordinator in any swarm. */
  lives(id: Id): boolean {
    return this.arena.readByte(id, ID.lives) === 1;
  }

  idBytes(id: Id): Held {
    return this.arena.sliceOf(id, ID.bytes, this.arena.readWord(id, ID.length));
  }

  idText(id: Id): string {
    return textOf(this.idBytes(id));
  }

  /** The id of this name, if anything is known of it, and its bytes; they hold until the next text. */
  lookUp(coordinator: string): { hash: number; id: Id; bytes: Buffer; length: number } {
    const { bytes, to: length } = this.spelled(coordinator);
    const hash = this.rounds.hash(bytes, 0, length);
    return { hash, id: this.find(hash, bytes, 0, length), bytes, length };
  }

  hashOf(coordinator: string): number {
    const { bytes, to } = this.spelled(coordinator);
    return this.rounds.hash(bytes, 0, to);
  }

  /** The bytes of a text; they hold until the next. */
  spelled(text: string): Held {
    if (text.length > this.#scratch.length) this.#scratch = Buffer.alloc(text.length * 2);
    return { bytes: this.#scratch, from: 0, to: this.#scratch.write(text, 0, 'latin1') };
  }
}
