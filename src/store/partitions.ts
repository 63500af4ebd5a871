/** partitions: which partition is under way, whose records belong to it, and who is known to be stale in another one. */
import { FingerprintSet } from './fingerprints.ts';

/** Who somebody is that has no record: `later` and `earlier`: stale, of a partition to come, or of one that was dealt with. */
export type Elsewhere = 'unknown' | 'later' | 'earlier';

/** Ids are of a partition by the first half of their fingerprint; their heartbeats are of the same. */
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

  /** How many there are. */
  get count(): number {
    return 2 ** this.#bits;
  }

  /** The memory held. */
  get bytes(): number {
    return this.#elsewhere.bytes;
  }

  #of(idHigh: number): number {
    return this.#bits === 0 ? 0 : idHigh >>> (32 - this.#bits);
  }

  /** Whether the records of this id belong to the partition under way. */
  isHere(idHigh: number): boolean {
    return this.#of(idHigh) === this.current;
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
  standingOf(idHigh: number, high: number, low: number): Elsewhere {
    if (!this.has(high, low)) return 'unknown';
    return this.#of(idHigh) <= this.current ? 'earlier' : 'later';
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
