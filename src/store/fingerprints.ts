/** fingerprints: 64 bits that stand for a byte string. Among 100 million strings two have the same one with a chance of 1 in
 * 3,000, and nobody can choose strings so that they do, since each store has seeds of its own.
 */
import { randomInt } from 'node:crypto';

/** A slot is empty where both halves are 0; a fingerprint that would be so is another one. */
const LEAST_SLOTS = 1_024;
const PART_BITS = 6;
const PARTS = 2 ** PART_BITS;
const FULL = 0.8;
/** Small parts grow quickly, large ones by a little: a large table is hardly ever more than a third empty. */
const SMALL_SLOTS = 512;
const SMALL_GROWTH = 2;
const GROWTH = 1.25;
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

/** The slots of a table whose fingerprints begin with the same bits. */
class Part {
  words: Uint32Array;
  size = 0;

  constructor(
    public slots: number,
    width: number,
  ) {
    this.words = new Uint32Array(slots * width);
  }
}

/**
 * A table of fingerprints, each with so many more words: open addressing, in parts that grow by themselves. So nobody waits while millions
 * are put in order anew, no two copies of them stand side by side, and as the parts begin with different sizes, few have just grown.
 */
class Table {
  /** The memory that it took in growing. */
  bytes = 0;
  #size = 0;
  #parts: readonly Part[];
  /** The words of the part in which was last looked. */
  #words: Uint32Array;

  constructor(
    private readonly width: number,
    private readonly leastSlots = LEAST_SLOTS,
  ) {
    this.#parts = this.#empty();
    this.#words = (this.#parts[0] as Part).words;
  }

  #empty(): readonly Part[] {
    return Array.from({ length: PARTS }, (_, part) => {
      const slots = (this.leastSlots / PARTS) * GROWTH ** (part / PARTS);
      return new Part(Math.ceil(slots), this.width);
    });
  }

  get size(): number {
    return this.#size;
  }

  #partOf(low: number): Part {
    return this.#parts[low >>> (32 - PART_BITS)] as Part;
  }

  #startOf(low: number, { slots }: Part): number {
    return Math.floor((((low << PART_BITS) >>> 0) / WORD) * slots) * this.width;
  }

  /** Where the fingerprint stands among the words; -1 when it is not there. */
  protected find(high: number, low: number): number {
    const part = this.#partOf(low);
    const { words } = part;
    const { width } = this;
    this.#words = words;
    const end = words.length;
    let at = this.#startOf(low, part);
    for (;;) {
      const found = words[at + 1] as number;
      if (found === low && words[at] === high) return at;
      if (found === 0) return -1;
      at += width;
      if (at === end) at = 0;
    }
  }

  protected word(at: number): number {
    return this.#words[at] as number;
  }

  protected setWord(at: number, value: number): void {
    this.#words[at] = value;
  }

  /** Adds one that is not there; where it stands. */
  protected place(high: number, low: number): number {
    const part = this.#partOf(low);
    if (part.size >= part.slots * FULL) this.#grow(part);
    part.size++;
    this.#size++;
    this.#words = part.words;
    return this.#put(part, high, low);
  }

  #put(part: Part, high: number, low: number): number {
    const { words } = part;
    let at = this.#startOf(low, part);
    while (words[at + 1] !== 0) {
      at += this.width;
      if (at === words.length) at = 0;
    }
    words[at] = high;
    words[at + 1] = low;
    return at;
  }

  #grow(part: Part): void {
    const old = part.words;
    part.slots = Math.ceil(part.slots * (part.slots < SMALL_SLOTS ? SMALL_GROWTH : GROWTH));
    part.words = new Uint32Array(part.slots * this.width);
    this.bytes += part.words.byteLength - old.byteLength;
    for (let at = 0; at < old.length; at += this.width) {
      if (old[at + 1] === 0) continue;
      const to = this.#put(part, old[at] as number, old[at + 1] as number);
      for (let i = 2; i < this.width; i++) part.words[to + i] = old[at + i] as number;
    }
  }

  clear(): void {
    if (this.bytes > 0) this.#parts = this.#empty();
    else for (const part of this.#parts) part.words.fill(0);
    for (const part of this.#parts) part.size = 0;
    this.#size = 0;
    this.bytes = 0;
  }
}

export class FingerprintSet extends Table {
  constructor() {
    super(2);
  }

  has(high: number, low: number): boolean {
    return this.find(high, low) !== -1;
  }

  add(high: number, low: number): void {
    if (this.find(high, low) === -1) this.place(high, low);
  }
}

/** Finds a record by its fingerprint. */
export class FingerprintMap extends Table {
  /** @param entries for so many it hardly grows */
  constructor(entries = 0) {
    super(3, Math.max(LEAST_SLOTS, Math.ceil(entries / FULL)));
  }

  /** The record; 0 when there is none. */
  get(high: number, low: number): number {
    const at = this.find(high, low);
    return at === -1 ? 0 : this.word(at + 2);
  }

  /** Adds one that was not found. */
  add(high: number, low: number, record: number): void {
    this.setWord(this.place(high, low) + 2, record);
  }

  /** Adds it, or gives one that was found another record. */
  set(high: number, low: number, record: number): void {
    const at = this.find(high, low);
    this.setWord((at === -1 ? this.place(high, low) : at) + 2, record);
  }
}
