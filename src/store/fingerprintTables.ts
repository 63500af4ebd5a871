/** fingerprint tables: which fingerprints are known, and for some of them which record each stands for. */

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
  readonly #parts: readonly Part[];
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
