/** name order: sorts many names roughly, and fast, so that neighbours come together. */
import type { Slice } from './arena.ts';

/** How many bytes behind the common beginning count, seven bits each; the rest of a word is for the length. */
const BYTES = 4;
const MOST_LENGTH = 7;

/** Where the lower half of a 64-bit number stands. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

const commonBeginning = (names: Iterable<Slice>): number => {
  let first: Slice | undefined;
  let common = Number.POSITIVE_INFINITY;
  for (const name of names) {
    first ??= name;
    common = Math.min(common, name.to - name.from);
    for (let i = 0; i < common; i++) {
      if (name.bytes[name.from + i] !== first.bytes[first.from + i]) common = i;
    }
  }
  return Number.isFinite(common) ? common : 0;
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

/** The records in the rough order of their names. A record is a number below 2^32. */
export const inNameOrder = <T extends number>(records: readonly T[], nameOf: (record: T) => Slice): T[] => {
  const names = function* () {
    for (const record of records) yield nameOf(record);
  };
  const common = commonBeginning(names());
  // Sorted as 64-bit numbers, the rank above the record: no comparator is called.
  const pairs = new BigUint64Array(records.length);
  const words = new Uint32Array(pairs.buffer);
  for (const [i, record] of records.entries()) {
    words[2 * i + LOW] = record;
    words[2 * i + 1 - LOW] = rankOf(nameOf(record), common);
  }
  pairs.sort();
  return Array.from(records, (_, i) => words[2 * i + LOW] as T);
};
