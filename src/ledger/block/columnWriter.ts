/** column: numbers or texts of one kind, one after the other, so that what is alike stands together for the compressor. */

/** Numbers up to this are shifted as 32-bit integers, which is faster. */
const MOST_SHIFTED = 0x7fff_ffff;
/** 2^53 needs eight times seven bits. */
const MOST_NUMBER_BYTES = 8;
/** Up to this many bytes are copied faster one by one than by `set`. */
const SHORT = 24;

/** Grows as it is written to; what it took is kept for the next block. */
export class ColumnWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  /** What was written. Valid until more is. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Writes a whole number from 0 to 2^53 - 1, seven bits a byte, the lowest first. */
  number(value: number): void {
    this.#reserve(MOST_NUMBER_BYTES);
    let rest = value;
    for (; rest > MOST_SHIFTED; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  /** Writes a whole number of either sign, up to 2^52 - 1. */
  difference(value: number): void {
    this.number(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Writes bytes; how many, the reader must know. */
  text(source: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from);
    if (to - from > SHORT) this.#bytes.set(source.subarray(from, to), this.#length);
    else for (let at = from, into = this.#length; at < to; ) this.#bytes[into++] = source[at++] as number;
    this.#length += to - from;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + bytes, this.#bytes.length * 2));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}

/** Texts, each against the one before: how much longer it is, how many first bytes are the same, and those that follow. */
export class TextWriter {
  #from = 0;
  #to = 0;

  constructor(
    private readonly longer: ColumnWriter,
    private readonly same: ColumnWriter,
    private readonly rest: ColumnWriter,
  ) {}

  /** Writes a text; `bytes` must be the same for all texts. */
  text(bytes: Uint8Array, from: number, to: number): void {
    const most = Math.min(to - from, this.#to - this.#from);
    let same = 0;
    while (same < most && bytes[from + same] === bytes[this.#from + same]) same++;
    this.longer.difference(to - from - (this.#to - this.#from));
    this.same.number(same);
    this.rest.text(bytes, from + same, to);
    this.#from = from;
    this.#to = to;
  }
}
