/** fingerprints: 64 bits that stand for a byte string. Among 100 million strings two have the same one with a chance of 1 in
 * 3,000, and nobody can choose strings so that they do, since each store has seeds of its own.
 */
import { randomInt } from 'node:crypto';

const WORD = 2 ** 32;

/** Takes fingerprints: FNV-1a in two lanes, mixed at the end since neighbouring names differ in the last bytes only.
 * (http://www.isthe.com/chongo/tech/comp/fnv/; the mixing is MurmurHash3's fmix32) */
export class Fingerprinter {
  /** The fingerprint taken last. */
  high = 0;
  low = 0;
  readonly #highSeed = randomInt(WORD / 2) ^ 0x811c9dc5;
  readonly #lowSeed = randomInt(WORD / 2) ^ 0x050c5d1f;
  /** Where the last one began and ended, and how far its lanes had come: an id of one more segment goes on from there. */
  #bytes: Uint8Array | null = null;
  #from = 0;
  #to = 0;
  #highLane = 0;
  #lowLane = 0;

  /** Of these bytes. */
  take(bytes: Uint8Array, from: number, to: number): void {
    this.#bytes = null;
    this.#highLane = this.#highSeed;
    this.#lowLane = this.#lowSeed;
    this.#run(bytes, from, to);
  }

  /** The same, going on from the last one taken so where that began at the same place: the bytes must not have changed since. */
  takeOn(bytes: Uint8Array, from: number, to: number): void {
    if (bytes !== this.#bytes || from !== this.#from || to < this.#to) {
      this.take(bytes, from, to);
      this.#bytes = bytes;
      this.#from = from;
    } else this.#run(bytes, this.#to, to);
    this.#to = to;
  }

  /** What was taken last is not gone on from. */
  forget(): void {
    this.#bytes = null;
  }

  /** Of what was taken last, followed by these bytes: of a pair. */
  takeFurther(bytes: Uint8Array, from: number, to: number): void {
    this.#highLane = this.high ^ 0x5bd1e995;
    this.#lowLane = this.low;
    this.#bytes = null;
    this.#run(bytes, from, to);
  }

  #run(bytes: Uint8Array, from: number, to: number): void {
    let high = this.#highLane;
    let low = this.#lowLane;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number;
      high = Math.imul(high ^ byte, 0x01000193);
      low = Math.imul(low ^ byte, 0x85ebca6b);
      low ^= low >>> 15;
    }
    this.#highLane = high;
    this.#lowLane = low;
    this.high = mix(high);
    this.low = mix(low ^ high) || 1;
  }
}

/** A number of 32 bits for these bytes, the same in every process. Who knows the seed can choose bytes for any number. */
export function numberOf(seed: number, bytes: Uint8Array, from: number, to: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return mix(hash);
}

function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
