/** name order: sorts many names fast, so that neighbours come together: shorter ones first, so that 9 comes before 10, then byte
 * by byte.
 *
 * Many are dealt out by one byte after the other; few are sorted four bytes at a time, as 64-bit numbers with the record below the
 * rank, so that no comparator is called. (MSD radix sort: Sedgewick and Wayne, Algorithms, 5.1)
 */
import type { Held, Slice } from './arena.ts';
import { breathe, STEPS_AT_ONCE } from './breath.ts';

/** How many bytes a rank holds. */
const RANK_BYTES = 4;
/** Longer names are as long as that, as far as their order is concerned. */
const MOST_LENGTH = 0xffff;
/** So many are sorted at once, which takes a few milliseconds. */
const FEW = 8_192;
/** Where names are dealt out by how long they are, by the upper and by the lower byte of that, before any of their own bytes. */
const BY_LENGTH = -2;

/** Where the lower half of a 64-bit number stands. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

/** Puts records in the order of their names. */
export class NameOrder {
  readonly #records: Uint32Array;
  readonly #dealt: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #few: Few;
  #steps = 0;

  constructor(
    most: number,
    private readonly nameOf: (record: number) => Slice,
  ) {
    this.#records = new Uint32Array(most);
    const many = most > FEW ? most : 0;
    this.#dealt = new Uint32Array(many);
    this.#bytes = new Uint8Array(many);
    this.#few = new Few(Math.min(most, FEW), nameOf);
  }

  /** All of these in order, some thousands at a time, sorted as they are asked for: nobody waits for all of them. */
  async *inOrder(records: Iterable<number>): AsyncGenerator<Uint32Array> {
    let count = 0;
    for (const record of records) {
      this.#records[count++] = record;
      if (count % STEPS_AT_ONCE === 0) await breathe();
    }
    yield* this.#sorted(0, count, BY_LENGTH);
  }

  /** Those from one place to another, which are alike in all bytes before this one. */
  async *#sorted(from: number, to: number, alike: number): AsyncGenerator<Uint32Array> {
    const records = this.#records.subarray(from, to);
    if (records.length <= FEW) {
      this.#few.sort(records, alike);
      yield records;
      return;
    }
    const at = alike < 0 ? alike : await this.#commonFrom(records, alike);
    const first = this.nameOf(records[0] as number);
    if (first.from + at >= first.to) {
      yield records;
      return;
    }
    for (const [start, end] of await this.#deal(records, at)) yield* this.#sorted(from + start, from + end, at + 1);
  }

  /** Deals them out by this byte; from where to where those of one byte lie then. */
  async #deal(records: Uint32Array, at: number): Promise<[from: number, to: number][]> {
    const counts = new Uint32Array(257);
    for (let i = 0; i < records.length; i++) {
      const byte = byteAt(this.nameOf(records[i] as number), at);
      this.#bytes[i] = byte;
      counts[byte + 1] = (counts[byte + 1] as number) + 1;
      if (++this.#steps % STEPS_AT_ONCE === 0) await breathe();
    }
    for (let byte = 1; byte < counts.length; byte++)
      counts[byte] = (counts[byte] as number) + (counts[byte - 1] as number);
    const starts = counts.slice();
    for (let i = 0; i < records.length; i++) {
      const byte = this.#bytes[i] as number;
      const place = counts[byte] as number;
      this.#dealt[place] = records[i] as number;
      counts[byte] = place + 1;
      if (++this.#steps % (8 * STEPS_AT_ONCE) === 0) await breathe();
    }
    records.set(this.#dealt.subarray(0, records.length));
    const ends = Array.from(starts.subarray(1));
    return ends.flatMap((end, byte) => ((starts[byte] as number) < end ? [[starts[byte] as number, end]] : []));
  }

  /** How many bytes these names, which are equally long, have in common; at least `alike` of them. */
  async #commonFrom(records: Uint32Array, alike: number): Promise<number> {
    const first = this.nameOf(records[0] as number);
    let common = first.to - first.from;
    for (let i = 1; i < records.length && common > alike; i++) {
      common = commonTo(first, this.nameOf(records[i] as number), alike, common);
      if (++this.#steps % STEPS_AT_ONCE === 0) await breathe();
    }
    return common;
  }
}

/** Sorts a few, at once. */
class Few {
  readonly #pairs: BigUint64Array;
  readonly #words: Uint32Array;
  #sorted: Uint32Array = new Uint32Array(0);
  #place = 0;

  constructor(
    most: number,
    private readonly nameOf: (record: number) => Slice,
  ) {
    this.#pairs = new BigUint64Array(most);
    this.#words = new Uint32Array(this.#pairs.buffer);
  }

  /** Sorts them where they stand; they are alike in all bytes before this one. */
  sort(records: Uint32Array, alike: number): void {
    this.#sorted = records;
    this.#place = 0;
    for (let i = 0; i < records.length; i++) {
      const { from, to } = this.nameOf(records[i] as number);
      this.#words[2 * i + LOW] = records[i] as number;
      this.#words[2 * i + HIGH] = Math.min(to - from, MOST_LENGTH);
    }
    this.#sort(0, records.length, Math.max(0, alike));
  }

  /** Sorts by rank, then each run of one rank by the bytes that follow. */
  #sort(from: number, to: number, alike: number): void {
    this.#pairs.subarray(from, to).sort();
    for (let start = from; start < to; ) {
      let end = start + 1;
      while (end < to && this.#rank(end) === this.#rank(start)) end++;
      if (end - start === 1) this.#put(start);
      else this.#sortByBytes(start, end, alike);
      start = end;
    }
  }

  #recordAt(i: number): number {
    return this.#words[2 * i + LOW] as number;
  }

  #rank(i: number): number {
    return this.#words[2 * i + HIGH] as number;
  }

  #put(i: number): void {
    this.#sorted[this.#place++] = this.#recordAt(i);
  }

  #sortByBytes(from: number, to: number, alike: number): void {
    const first = this.nameOf(this.#recordAt(from));
    let common = first.to - first.from;
    for (let i = from + 1; i < to && common > alike; i++) {
      common = commonTo(first, this.nameOf(this.#recordAt(i)), alike, common);
    }
    if (first.from + common >= first.to) {
      for (let i = from; i < to; i++) this.#put(i);
      return;
    }
    for (let i = from; i < to; i++) {
      const name = this.nameOf(this.#recordAt(i));
      let rank = 0;
      for (let n = 0; n < RANK_BYTES; n++) rank = (rank << 8) | byteAt(name, common + n);
      this.#words[2 * i + HIGH] = rank;
    }
    this.#sort(from, to, common + RANK_BYTES);
  }
}

/** A byte of a name, 0 behind its end; before its first byte, one of how long it is. */
function byteAt({ bytes, from, to }: Slice, at: number): number {
  if (at >= 0) return from + at < to ? (bytes[from + at] as number) : 0;
  const length = Math.min(to - from, MOST_LENGTH);
  return at === BY_LENGTH ? length >>> 8 : length & 0xff;
}

/** How many bytes two names have in common, of at most so many, where they are alike in the first ones. */
function commonTo(one: Slice, other: Slice, alike: number, most: number): number {
  let same = alike;
  while (same < most && other.bytes[other.from + same] === one.bytes[one.from + same]) same++;
  return same;
}

/** Whether one name comes before another one in that order. */
export function comesBefore(a: Held, b: Held): boolean {
  const longer = a.to - a.from - (b.to - b.from);
  return longer !== 0 ? longer < 0 : a.bytes.compare(b.bytes, b.from, b.to, a.from, a.to) < 0;
}
