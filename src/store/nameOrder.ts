/** name order: sorts many names fast, so that neighbours come together: shorter ones first, so that 9 comes before 10, then byte
 * by byte.
 *
 * Four bytes at a time, as 64-bit numbers with the record below the rank, so that no comparator is called; those that are still
 * equal are sorted by the next four. (MSD radix sort: Sedgewick and Wayne, Algorithms, 5.1)
 */
import type { Held, Slice } from './arena.ts';

/** How many bytes a rank holds. */
const RANK_BYTES = 4;
/** Longer names are as long as that, as far as their order is concerned. */
const MOST_LENGTH = 0xffff;

/** Where the lower half of a 64-bit number stands. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

/** Puts records in the order of their names. */
export class NameOrder {
  readonly #pairs: BigUint64Array;
  readonly #words: Uint32Array;
  #count = 0;

  constructor(
    most: number,
    private readonly nameOf: (record: number) => Slice,
  ) {
    this.#pairs = new BigUint64Array(most);
    this.#words = new Uint32Array(this.#pairs.buffer);
  }

  add(record: number): void {
    const { from, to } = this.nameOf(record);
    this.#words[2 * this.#count + LOW] = record;
    this.#words[2 * this.#count + HIGH] = Math.min(to - from, MOST_LENGTH);
    this.#count++;
  }

  /** All that were added; sorted as they are asked for, so that nobody waits for all of them. */
  *inOrder(): Generator<number> {
    yield* this.#sorted(0, this.#count, 0);
  }

  /** Sorts by rank, then each run of one rank by the bytes that follow. */
  *#sorted(from: number, to: number, at: number): Generator<number> {
    this.#pairs.subarray(from, to).sort();
    for (let start = from; start < to; ) {
      let end = start + 1;
      while (end < to && this.#rank(end) === this.#rank(start)) end++;
      if (end - start === 1) yield this.#recordAt(start);
      else yield* this.#sortedByBytes(start, end, at);
      start = end;
    }
  }

  #recordAt(i: number): number {
    return this.#words[2 * i + LOW] as number;
  }

  #rank(i: number): number {
    return this.#words[2 * i + HIGH] as number;
  }

  *#sortedByBytes(from: number, to: number, at: number): Generator<number> {
    const common = this.#commonFrom(from, to, at);
    const first = this.nameOf(this.#recordAt(from));
    if (first.from + common >= first.to) {
      for (let i = from; i < to; i++) yield this.#recordAt(i);
      return;
    }
    for (let i = from; i < to; i++) {
      const { bytes, from: start, to: end } = this.nameOf(this.#recordAt(i));
      let rank = 0;
      for (let n = 0; n < RANK_BYTES; n++) {
        const place = start + common + n;
        rank = (rank << 8) | (place < end ? (bytes[place] as number) : 0);
      }
      this.#words[2 * i + HIGH] = rank;
    }
    yield* this.#sorted(from, to, common + RANK_BYTES);
  }

  /** How many bytes these names, which are equally long, have in common; at least `at` of them. */
  #commonFrom(from: number, to: number, at: number): number {
    const first = this.nameOf(this.#recordAt(from));
    let common = first.to - first.from;
    for (let i = from + 1; i < to && common > at; i++) {
      const { bytes, from: start } = this.nameOf(this.#recordAt(i));
      let same = at;
      while (same < common && bytes[start + same] === first.bytes[first.from + same]) same++;
      common = same;
    }
    return common;
  }
}

/** Whether one name comes before another one in that order. */
export function comesBefore(a: Held, b: Held): boolean {
  const longer = a.to - a.from - (b.to - b.from);
  return longer !== 0 ? longer < 0 : a.bytes.compare(b.bytes, b.from, b.to, a.from, a.to) < 0;
}
