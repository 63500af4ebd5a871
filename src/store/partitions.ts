/** partitions: which partition is under way, whose records belong to it, and who is known to be stale in another one. */
import type { Slice } from './arena.ts';
import { numberOf } from './fingerprints.ts';
import { FingerprintSet } from './fingerprintTables.ts';

/** Who somebody is that has no record: `later` and `earlier`: stale, of a partition to come, or of one that was dealt with. */
export type Elsewhere = 'unknown' | 'later' | 'earlier';

/**
 * Ids are of a partition by a number that is the same in every run of a target, however many partitions it has: their heartbeats are of
 * the same. A key of several waits for the last of its owners: did two runs side by side go in other orders, each could wait for the
 * one whom the other has swept, and leave the key.
 */
export class Partitions {
  /** Stale ids, and pairs of id and swarm, that have no record here. */
  readonly #elsewhere = new FingerprintSet();
  #bits = 0;
  /** The partition under way, from 0. */
  current = 0;
  /** Heartbeats that the first pass found stale, of partitions to come; each counts until it is met again there. */
  awaited = 0;
  /** How many of these were lapsed. */
  awaitedLapsed = 0;

  /** @param seed the same in every run of a target */
  constructor(private readonly seed = 0) {}

  /** How many there are. */
  get count(): number {
    return 2 ** this.#bits;
  }

  /** The memory held. */
  get bytes(): number {
    return this.#elsewhere.bytes;
  }

  /** Of the upper bits: cutting each in two leaves their order as it was. */
  #of({ bytes, from, to }: Slice): number {
    return this.#bits === 0 ? 0 : numberOf(this.seed, bytes, from, to) >>> (32 - this.#bits);
  }

  /** Whether the records of this id belong to the partition under way. */
  isHere(id: Slice): boolean {
    return this.#of(id) === this.current;
  }

  /** Whether this id, or pair, was entered as stale by an earlier look, without a record. */
  has(high: number, low: number): boolean {
    return this.#elsewhere.has(high, low);
  }

  /** Enters an id, or a pair, that is stale and has no record here. */
  add(high: number, low: number): void {
    this.#elsewhere.add(high, low);
  }

  /** The same for a heartbeat that its partition, which is to come, will meet. */
  await(high: number, low: number, lapsed: boolean): void {
    this.add(high, low);
    this.awaited++;
    if (lapsed) this.awaitedLapsed++;
  }

  /** Who an id, or a pair, is that has no record. */
  standingOf(id: Slice, high: number, low: number): Elsewhere {
    if (!this.has(high, low)) return 'unknown';
    return this.#of(id) <= this.current ? 'earlier' : 'later';
  }

  /** Cuts each in two. */
  split(): void {
    this.#bits++;
  }

  /** Goes on to the next one. */
  next(): void {
    this.current++;
  }
}
