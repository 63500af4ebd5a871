/** name order: sorts many names roughly, and fast, so that neighbours come together. */
import type { Slice } from './arena.ts';

/** How many bytes behind the common beginning count, seven bits each; the rest of a word is for the length. */
const BYTES = 4;
const MOST_LENGTH = 7;

/** Where the lower half of a 64-bit number stands. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/** Shorter names first, so that 9 comes before 10; then by the bytes that follow what all have in common. */
const rankOf = ({ bytes, from, to }: Slice, common: number): number => {
  let rank = Math.min(to - from - common, MOST_LENGTH);
  for (let i = 0; i < BYTES; i++) {
    const at = from + common + i;
    rank = (rank << 7) | (at < to ? (bytes[at] as number) & 0x7f : 0);
  }
  return rank;
};

/** Records, to be put in the rough order of their names. */
export class NameOrder {
  readonly #records: Uint32Array;
  #count = 0;
  #first: Slice | null = null;
  /** How many bytes all names begin with. */
  #common = 0;

  constructor(
    most: number,
    private readonly nameOf: (record: number) => Slice,
  ) {
    this.#records = new Uint32Array(most);
  }

  add(record: number): void {
    this.#records[this.#count++] = record;
    const { bytes, from, to } = this.nameOf(record);
    if (this.#first === null) {
      this.#first = { bytes, from, to };
      this.#common = to - from;
      return;
    }
    const first = this.#first;
    let common = Math.min(this.#common, to - from);
    // From the end: once the common beginning is found, names differ right behind it.
    for (let at = common - 1; at >= 0; at--) if (bytes[from + at] !== first.bytes[first.from + at]) common = at;
    this.#common = common;
  }

  /** All that were added. */
  inOrder(): Uint32Array {
    const records = this.#records.subarray(0, this.#count);
    // Sorted as 64-bit numbers, the rank above the record: no comparator is called.
    const pairs = new BigUint64Array(records.length);
    const words = new Uint32Array(pairs.buffer);
    for (let i = 0; i < records.length; i++) {
      const record = records[i] as number;
      words[2 * i + LOW] = record;
      words[2 * i + 1 - LOW] = rankOf(this.nameOf(record), this.#common);
    }
    pairs.sort();
    for (let i = 0; i < records.length; i++) records[i] = words[2 * i + LOW] as number;
    return records;
  }
}
