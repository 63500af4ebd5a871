/** order: puts the ids of a block in an order in which neighbours have much in common. */
import type { OpenBlock } from './openBlock.ts';

/** Below a rank stands the record it belongs to: 18 bits. */
const RECORD_BITS = 18;
const RECORD_MASK = (1 << RECORD_BITS) - 1;
/** Differences in length up to this count. */
const MOST_LONGER = 15;
/** So many that rank alike are ranked once more, by what follows; fewer are not worth it. */
const WORTH_RANKING = 4;
/** How often that may happen. */
const MOST_DEPTH = 4;

/** Where the lower half of a 64-bit number stands. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/** The records of a block: shorter ids first, so that 9 comes before 10, then by their bytes. Not exact, but nearly. */
export class Order {
  // Sorted as 64-bit numbers, the rank above the record: no comparator is called.
  readonly #pairs: BigUint64Array;
  readonly #words: Uint32Array;

  constructor(most: number) {
    this.#pairs = new BigUint64Array(most);
    this.#words = new Uint32Array(this.#pairs.buffer);
  }

  /** Sorts what the block holds; then `at` tells who stands where. */
  sort(block: OpenBlock): void {
    for (let i = 0; i < block.count; i++) this.#words[2 * i + LOW] = i;
    this.#sort(block, 0, block.count, 1);
  }

  at(index: number): number {
    return (this.#words[2 * index + LOW] as number) & RECORD_MASK;
  }

  #sort(block: OpenBlock, from: number, to: number, depth: number): void {
    this.#rank(block, from, to);
    this.#pairs.subarray(from, to).sort();
    if (depth === MOST_DEPTH) return;
    const words = this.#words;
    for (let start = from; start < to; ) {
      const high = words[2 * start + 1 - LOW] as number;
      const low = (words[2 * start + LOW] as number) >>> RECORD_BITS;
      let end = start + 1;
      while (
        end < to &&
        words[2 * end + 1 - LOW] === high &&
        (words[2 * end + LOW] as number) >>> RECORD_BITS === low
      ) {
        end++;
      }
      if (end - start >= WORTH_RANKING) this.#sort(block, start, end, depth + 1);
      start = end;
    }
  }

  /** Ranks by length, four bits, and by the six bytes that follow what all have in common, seven bits each. */
  #rank(block: OpenBlock, from: number, to: number): void {
    const { bytes, idFrom, idTo } = block;
    const words = this.#words;
    const first = idFrom[this.at(from)] as number;
    let shortest = (idTo[this.at(from)] as number) - first;
    let common = shortest;
    for (let i = from + 1; i < to; i++) {
      const record = this.at(i);
      const start = idFrom[record] as number;
      shortest = Math.min(shortest, (idTo[record] as number) - start);
      common = Math.min(common, shortest);
      // From the end: once the common beginning is found, names differ right behind it.
      for (let at = common - 1; at >= 0; at--) if (bytes[first + at] !== bytes[start + at]) common = at;
    }
    for (let i = from; i < to; i++) {
      const record = this.at(i);
      const end = idTo[record] as number;
      const start = (idFrom[record] as number) + common;
      let high = Math.min(end - start + common - shortest, MOST_LONGER);
      for (let at = start; at < start + 4; at++) high = (high << 7) | (at < end ? (bytes[at] as number) & 0x7f : 0);
      let low = 0;
      for (let at = start + 4; at < start + 6; at++) low = (low << 7) | (at < end ? (bytes[at] as number) & 0x7f : 0);
      words[2 * i + 1 - LOW] = high;
      words[2 * i + LOW] = (low << RECORD_BITS) | record;
    }
  }
}
