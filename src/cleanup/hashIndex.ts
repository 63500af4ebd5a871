/** hash index: finds records by what they hold. */
import { NONE } from './arena.ts';

const LEAST_SLOTS = 64;

/** An index of records by the hash of what they hold: open addressing, twice as large whenever it is 5/8 full. */
export class HashIndex {
  size = 0;
  #hashes = new Uint32Array(LEAST_SLOTS);
  #records = new Uint32Array(LEAST_SLOTS);

  get bytes(): number {
    return this.#hashes.length * 8;
  }

  /**
   * The first slot from this one on that holds the hash, -1 when there is none. Start with the hash itself; go on with the
   * slot after the last.
   */
  probe(hash: number, from: number): number {
    const mask = this.#records.length - 1;
    for (let slot = from & mask; this.#records[slot] !== NONE; slot = (slot + 1) & mask) {
      if (this.#hashes[slot] === hash) return slot;
    }
    return -1;
  }

  recordAt(slot: number): number {
    return this.#records[slot] as number;
  }

  /** Adds a record that was not found. */
  add(hash: number, record: number): void {
    if (this.size * 8 >= this.#records.length * 5) this.#grow();
    this.#place(hash, record);
    this.size++;
  }

  #place(hash: number, record: number): void {
    const mask = this.#records.length - 1;
    let slot = hash & mask;
    while (this.#records[slot] !== NONE) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#records[slot] = record;
  }

  #grow(): void {
    this.#rebuild(this.#records.length * 2, () => true);
  }

  /** Forgets all records but these. */
  keepOnly(isKept: (record: number) => boolean): void {
    this.size = this.#records.reduce((count, record) => count + (record !== NONE && isKept(record) ? 1 : 0), 0);
    let slots = LEAST_SLOTS;
    while (this.size * 8 >= slots * 5) slots *= 2;
    this.#rebuild(slots, isKept);
  }

  #rebuild(slots: number, isKept: (record: number) => boolean): void {
    const hashes = this.#hashes;
    const records = this.#records;
    this.#hashes = new Uint32Array(slots);
    this.#records = new Uint32Array(slots);
    for (let slot = 0; slot < records.length; slot++) {
      const record = records[slot] as number;
      if (record !== NONE && isKept(record)) this.#place(hashes[slot] as number, record);
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
