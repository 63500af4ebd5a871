/** hash index: finds records by what they hold. */
import { NONE } from './arena.ts';

const LEAST_SLOTS = 64;

/** A slot is a hash and a record side by side, so that a look at both waits for memory once. */
const SLOT_WORDS = 2;

/** An index of records by the hash of what they hold: open addressing, twice as large whenever it is 5/8 full. */
export class HashIndex {
  size = 0;
  #slots = LEAST_SLOTS;
  #words = new Uint32Array(LEAST_SLOTS * SLOT_WORDS);

  get bytes(): number {
    return this.#words.byteLength;
  }

  /**
   * The first slot from this one on that holds the hash, -1 when there is none. Start with the hash itself; go on with the
   * slot after the last.
   */
  probe(hash: number, from: number): number {
    const words = this.#words;
    const mask = this.#slots - 1;
    for (let slot = from & mask; words[SLOT_WORDS * slot + 1] !== NONE; slot = (slot + 1) & mask) {
      if (words[SLOT_WORDS * slot] === hash) return slot;
    }
    return -1;
  }

  /**
   * The record in the first slot that holds each of so many hashes, `NONE` where there is none. Done for many at once, since
   * the slots lie anywhere in memory, and a loop that does nothing else waits for several of them at the same time.
   */
  probeAll(hashes: Uint32Array, count: number, records: Uint32Array): void {
    const words = this.#words;
    const mask = this.#slots - 1;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i] as number;
      let slot = hash & mask;
      while (words[SLOT_WORDS * slot + 1] !== NONE && words[SLOT_WORDS * slot] !== hash) slot = (slot + 1) & mask;
      records[i] = words[SLOT_WORDS * slot + 1] as number;
    }
  }

  recordAt(slot: number): number {
    return this.#words[SLOT_WORDS * slot + 1] as number;
  }

  /** Adds a record that was not found. */
  add(hash: number, record: number): void {
    if (this.size * 8 >= this.#slots * 5) this.#grow();
    this.#place(hash, record);
    this.size++;
  }

  #place(hash: number, record: number): void {
    const words = this.#words;
    const mask = this.#slots - 1;
    let slot = hash & mask;
    while (words[SLOT_WORDS * slot + 1] !== NONE) slot = (slot + 1) & mask;
    words[SLOT_WORDS * slot] = hash;
    words[SLOT_WORDS * slot + 1] = record;
  }

  /** Forgets all records, and keeps the room for as many. */
  clear(): void {
    this.size = 0;
    this.#words.fill(0);
  }

  /** Forgets all records but these, and keeps the room: a new table would leave the old one to the collector. */
  keepOnly(isKept: (record: number) => boolean): void {
    const kept = new Uint32Array(this.size * SLOT_WORDS);
    let length = 0;
    for (let slot = 0; slot < this.#slots; slot++) {
      const record = this.recordAt(slot);
      if (record === NONE || !isKept(record)) continue;
      kept[length++] = this.#words[SLOT_WORDS * slot] as number;
      kept[length++] = record;
    }
    this.clear();
    this.size = length / SLOT_WORDS;
    for (let at = 0; at < length; at += SLOT_WORDS) this.#place(kept[at] as number, kept[at + 1] as number);
  }

  #grow(): void {
    const words = this.#words;
    this.#slots *= 2;
    this.#words = new Uint32Array(this.#slots * SLOT_WORDS);
    for (let at = 0; at < words.length; at += SLOT_WORDS) {
      const record = words[at + 1] as number;
      if (record !== NONE) this.#place(words[at] as number, record);
    }
  }
}

/**
 * 32 bits of a byte string: FNV-1a, its bits mixed once more since neighbouring names differ in the last byte only.
 * (http://www.isthe.com/chongo/tech/comp/fnv/; the mixing is MurmurHash3's fmix32)
 * @param seed a run's own, so that nobody can choose ids that collide
 */
export const hashOf = (seed: number, bytes: Uint8Array, from: number, to: number): number => {
  let hash = seed ^ 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};
