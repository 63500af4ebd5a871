/** column reader: reads what `columnWriter` wrote. Whatever stands there, it reads no further than its column. */
import { Scratch } from '../../store/scratch.ts';
import { DamagedBlock } from './damagedBlock.ts';

/** Up to this many bytes are copied faster one by one than by `set`. */
const SHORT = 24;

export class ColumnReader {
  #at: number;
  readonly #to: number;

  /** The column of this many bytes that begins at `from`. */
  constructor(
    private readonly bytes: Uint8Array,
    from: number,
    length: number,
  ) {
    if (from + length > bytes.length) throw new DamagedBlock('a column ends beyond its block');
    this.#at = from;
    this.#to = from + length;
  }

  /** Where the next byte is read. */
  get at(): number {
    return this.#at;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.#at >= this.#to) throw new DamagedBlock('a column ends too early');
      const byte = this.bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new DamagedBlock('a number is too large');
      if (byte < 0x80) return value;
    }
  }

  difference(): number {
    const value = this.number();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  text(target: Uint8Array, into: number, bytes: number): void {
    if (this.#at + bytes > this.#to) throw new DamagedBlock('a text ends too early');
    if (bytes > SHORT) target.set(this.bytes.subarray(this.#at, this.#at + bytes), into);
    else for (let i = 0; i < bytes; i++) target[into + i] = this.bytes[this.#at + i] as number;
    this.#at += bytes;
  }
}

/** Reads texts, each into the place of the one before. */
export class TextReader {
  readonly scratch = new Scratch();
  /** Of the text read last, which is what the scratch begins with. */
  length = 0;

  /** @param mostBytes no text is longer */
  constructor(
    private readonly longer: ColumnReader,
    private readonly same: ColumnReader,
    private readonly rest: ColumnReader,
    private readonly mostBytes: number,
  ) {}

  next(): void {
    const length = this.length + this.longer.difference();
    const same = this.same.number();
    if (length < 0 || length > this.mostBytes || same > length || same > this.length) {
      throw new DamagedBlock('a text has an impossible length');
    }
    this.scratch.reserve(length);
    this.rest.text(this.scratch.bytes, same, length - same);
    this.length = length;
  }
}
