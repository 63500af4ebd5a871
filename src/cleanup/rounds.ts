/** rounds: how a run that would not fit the memory budget is cut into rounds, each for a share of the coordinators.
 *
 * Ids belong to a round by their hash, so each round is complete for its own: all their heartbeats, all their keys. About
 * ids of other rounds it is enough to know whether they may live, and whether they may be waiting for a later round. Both
 * are kept in Bloom filters of a fixed size: those may say yes where the answer is no, one time in 10^7 at two million ids
 * and the default budget, and then a key is kept; never no where it is yes.
 */
import { randomInt } from 'node:crypto';
import { Arena, PARTS } from './arena.ts';
import { HashIndex, hashOf } from './hashIndex.ts';

/** The share of the memory budget that both filters take together; kept free until they are needed. */
const FILTERS_SHARE = 1 / 8;
/** At 64 bits an id, the optimum is 44; more than 8 cost more time than the odds are worth. */
const PROBES = 8;
/** However small the budget: 64 KiB are right about 10,000 ids. */
const LEAST_FILTER_BYTES = 64 * 1024;
/** A round is made of whole parts of the arena. With the default budget, so many rounds take 200 million coordinators. */
const PART_BITS = Math.log2(PARTS);

class BloomFilter {
  readonly #words: Uint32Array;
  readonly #mask: number;

  constructor(bytes: number) {
    const bits = 2 ** Math.floor(Math.log2(Math.max(bytes, LEAST_FILTER_BYTES) * 8));
    this.#words = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
  }

  // Kirsch and Mitzenmacher: two hashes make as many as are needed. https://doi.org/10.1002/rsa.20208
  add(first: number, second: number): void {
    for (let i = 0, bit = first; i < PROBES; i++, bit += second | 1) {
      const at = (bit & this.#mask) >>> 0;
      this.#words[at >>> 5] = (this.#words[at >>> 5] as number) | (1 << (at & 31));
    }
  }

  has(first: number, second: number): boolean {
    for (let i = 0, bit = first; i < PROBES; i++, bit += second | 1) {
      const at = (bit & this.#mask) >>> 0;
      if (((this.#words[at >>> 5] as number) & (1 << (at & 31))) === 0) return false;
    }
    return true;
  }
}

export class Rounds {
  /** The round under way, from 0. */
  current = 0;
  /** What the records of the round under way lie in. */
  readonly arena = new Arena();
  /** Finds its ids. Kept from round to round: what the collector is to free, it may free only much later. */
  readonly ids = new HashIndex();
  readonly seed = randomInt(2 ** 31);
  readonly #otherSeed = randomInt(2 ** 31);
  #bits = 0;
  #living: BloomFilter | undefined;
  #waiting: BloomFilter | undefined;

  constructor(private readonly memoryBudgetBytes: number) {}

  /** How many there are. Only ever grows, and only during the first. */
  get count(): number {
    return 2 ** this.#bits;
  }

  /** What the records of one round may take. */
  get capacityBytes(): number {
    return this.memoryBudgetBytes * (1 - FILTERS_SHARE);
  }

  /** Cuts each round in two; `false` when that would be too many. */
  split(): boolean {
    if (this.#bits >= PART_BITS) return false;
    this.#bits++;
    this.#living ??= new BloomFilter((this.memoryBudgetBytes * FILTERS_SHARE) / 2);
    this.#waiting ??= new BloomFilter((this.memoryBudgetBytes * FILTERS_SHARE) / 2);
    return true;
  }

  /** The round that an id with this hash belongs to. The hash's low bits choose its place in an index, so the high ones. */
  roundOf(hash: number): number {
    return this.#bits === 0 ? 0 : hash >>> (32 - this.#bits);
  }

  /** The part of the arena for what belongs to an id with this hash. */
  partOf(hash: number): number {
    return hash >>> (32 - PART_BITS);
  }

  /** Whether a part of the arena belongs to the round under way. */
  isHere(part: number): boolean {
    return part >>> (PART_BITS - this.#bits) === this.current;
  }

  hash(bytes: Uint8Array, from: number, to: number): number {
    return hashOf(this.seed, bytes, from, to);
  }

  addLiving(hash: number, bytes: Uint8Array, from: number, to: number): void {
    this.#living?.add(hash, hashOf(this.#otherSeed, bytes, from, to));
  }

  mayLive(hash: number, bytes: Uint8Array, from: number, to: number): boolean {
    return this.#living?.has(hash, hashOf(this.#otherSeed, bytes, from, to)) ?? false;
  }

  /** An id of a later round was found stale. */
  addWaiting(hash: number, bytes: Uint8Array, from: number, to: number): void {
    this.#waiting?.add(hash, hashOf(this.#otherSeed, bytes, from, to));
  }

  mayWait(hash: number, bytes: Uint8Array, from: number, to: number): boolean {
    return this.#waiting?.has(hash, hashOf(this.#otherSeed, bytes, from, to)) ?? false;
  }

  /** The same for one heartbeat, by its key, where an id can be in several swarms. */
  addPair(heartbeatKey: string, stale: boolean): void {
    const key = Buffer.from(heartbeatKey, 'latin1');
    const hash = this.hash(key, 0, key.length);
    if (stale) this.addWaiting(hash, key, 0, key.length);
    else this.addLiving(hash, key, 0, key.length);
  }

  pairMayLive(heartbeatKey: string): boolean {
    const key = Buffer.from(heartbeatKey, 'latin1');
    return this.mayLive(this.hash(key, 0, key.length), key, 0, key.length);
  }

  pairMayWait(heartbeatKey: string): boolean {
    const key = Buffer.from(heartbeatKey, 'latin1');
    return this.mayWait(this.hash(key, 0, key.length), key, 0, key.length);
  }
}
