/** outlines: what the known ids look like: how long they are, and with which bytes they begin and end. Most parts of names that could be
 * an id but are none are told by that, without a fingerprint and a look into tables that lie scattered in memory: a run's keys are
 * judged in a third less time.
 */
import type { Found } from './records.ts';

const BITS = 16;

export class Outlines {
  /** The most segments that one has. */
  mostSegments = 1;
  /** Whether there are, or could be under protection, ids of a shape that the schema does not know: whatever could be theirs stays (P2, P4). */
  misshapen = false;
  readonly #words = new Uint32Array(2 ** BITS / 32);

  /** Notes an id. */
  meet({ id: { bytes, from, to }, idSegments }: Found): void {
    this.mostSegments = Math.max(this.mostSegments, Math.abs(idSegments));
    const outline = outlineOf(bytes, from, to);
    this.#words[outline >>> 5] = (this.#words[outline >>> 5] as number) | (1 << (outline & 31));
  }

  /** `false`: this id was never noted. */
  mayHave(bytes: Uint8Array, from: number, to: number): boolean {
    const outline = outlineOf(bytes, from, to);
    return ((this.#words[outline >>> 5] as number) & (1 << (outline & 31))) !== 0;
  }
}

/** Multiplied as Knuth does, so that the upper bits depend on all. (The Art of Computer Programming, volume 3, 6.4) */
function outlineOf(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from;
  const ends = length === 0 ? 0 : ((bytes[from] as number) << 8) | (bytes[to - 1] as number);
  return Math.imul((length << 16) ^ ends, 0x9e3779b1) >>> (32 - BITS);
}
