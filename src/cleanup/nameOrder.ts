/** name order: sorts many names roughly, and fast, so that neighbours come together. */
import type { Slice } from './arena.ts';

/** How many bytes behind the common beginning count, seven bits each; the rest of a word is for the length. */
const BYTES = 4;
const MOST_LENGTH = 7;

/** Where the lower half of a 64-bit number stands. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/** How many bytes all names begin with. */
const commonBeginning = (records: Uint32Array, nameOf: (record: number) => Slice): number => {
  const [one] = records;
  if (one === undefined) return 0;
  const first = nameOf(one);
  let common = first.to - first.from;
  for (let i = 1; i < records.length && common > 0; i++) {
    const { bytes, from, to } = nameOf(records[i] as number);
    common = Math.min(common, to - from);
    // From the end: once the common beginning is found, names differ right behind it.
    for (let at = common - 1; at >= 0; at--) if (bytes[from + at] !== first.bytes[first.from + at]) common = at;
  }
  return common;
};

/** Shorter names first, so that 9 comes before 10; then by the bytes that follow what all have in common. */
const rankOf = ({ bytes, from, to }: Slice, common: number): number => {
  let rank = Math.min(to - from - common, MOST_LENGTH);
  for (let i = 0; i < BYTES; i++) {
    const at = from + common + i;
    rank = (rank << 7) | (at < to ? (bytes[at] as number) & 0x7f : 0);
  }
  return rank;
};

/** Puts records in the rough order of their names. */
export const putInNameOrder = (records: Uint32Array, nameOf: (record: number) => Slice): void => {
  const common = commonBeginning(records, nameOf);
  // Sorted as 64-bit numbers, the rank above the record: no comparator is called.
  const pairs = new BigUint64Array(records.length);
  const words = new Uint32Array(pairs.buffer);
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as number;
    words[2 * i + LOW] = record;
    words[2 * i + 1 - LOW] = rankOf(nameOf(record), common);
  }
  pairs.sort();
  for (let i = 0; i < records.length; i++) records[i] = words[2 * i + LOW] as number;
};
