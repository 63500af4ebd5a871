/** arena: records of bytes outside the JavaScript heap. What a run holds for a million coordinators is small as bytes; as
 * objects and strings it takes five times the room, and the collector walks all of them again and again.
 *
 * Each record lies in one of the arena's parts, and a whole part is released at once, without a look at its records. Its
 * memory stays with the arena, for the next records: the collector would notice only much later that it is free.
 */

/** Records are found by a 32-bit reference: the chunk's number, then the place in it. */
const CHUNK_BITS = 16;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const PLACE = CHUNK_BYTES - 1;
/** What fits the rest of the reference: with the place, four gigabytes. */
const MOST_CHUNKS = 2 ** (32 - CHUNK_BITS);
/** How many parts there are. Each has a chunk that is being filled, so all of them waste eight megabytes. */
export const PARTS = 256;
const NOBODYS = -1;
const EMPTY = Buffer.alloc(0);

/** A part of some bytes. */
export interface Slice {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** A part of the arena's bytes; it stays where it is. */
export interface Held extends Slice {
  readonly bytes: Buffer;
}

export const textOf = ({ bytes, from, to }: Held): string => bytes.toString('latin1', from, to);

/** No record. */
export const NONE = 0;

/** The chunk of a part that is being filled, and how far. */
interface Filling {
  readonly part: number;
  chunk: number;
  filled: number;
  /** Bytes taken by the part's records. */
  bytes: number;
}

export class Arena {
  /** Bytes taken by records. */
  bytes = 0;
  /** Chunk 0 is never filled, so that no record is `NONE`. */
  readonly #chunks: Buffer[] = [EMPTY];
  /** The part that each chunk belongs to. */
  readonly #parts: number[] = [NOBODYS];
  /** Chunks that wait for a part, and numbers of chunks that were too large to be kept. */
  readonly #free: number[] = [];
  readonly #unused: number[] = [];
  readonly #filling: readonly Filling[] = Array.from({ length: PARTS }, (_, part) => ({
    part,
    chunk: 0,
    filled: CHUNK_BYTES,
    bytes: 0,
  }));

  /** Reserves a record of this many bytes in a part. Its bytes are whatever they were. */
  allocate(part: number, bytes: number): number {
    const filling = this.#filling[part] as Filling;
    this.bytes += bytes;
    filling.bytes += bytes;
    // A large record has a chunk of its own.
    if (bytes > CHUNK_BYTES / 4) return this.#open(part, bytes) * CHUNK_BYTES;
    if (filling.filled + bytes > CHUNK_BYTES) {
      filling.chunk = this.#open(part, CHUNK_BYTES);
      filling.filled = 0;
    }
    const record = filling.chunk * CHUNK_BYTES + filling.filled;
    filling.filled += bytes;
    return record;
  }

  #open(part: number, bytes: number): number {
    const isUsual = bytes === CHUNK_BYTES;
    const chunk = (isUsual ? this.#free : this.#unused).pop() ?? this.#unused.pop() ?? this.#chunks.length;
    if (chunk >= MOST_CHUNKS) throw new RangeError('the arena is full; lower memoryBudget');
    if (this.#chunks[chunk]?.length !== bytes) this.#chunks[chunk] = Buffer.allocUnsafeSlow(bytes);
    this.#parts[chunk] = part;
    return chunk;
  }

  /** The part a record lies in. */
  partOf(record: number): number {
    return this.#parts[record >>> CHUNK_BITS] as number;
  }

  /** Forgets the records of all parts but these. Nobody may ask for them any more. */
  release(isKept: (part: number) => boolean): void {
    for (let chunk = 1; chunk < this.#chunks.length; chunk++) {
      const part = this.#parts[chunk] as number;
      if (part === NOBODYS || isKept(part)) continue;
      this.#parts[chunk] = NOBODYS;
      if (this.#chunks[chunk]?.length === CHUNK_BYTES) this.#free.push(chunk);
      else {
        this.#chunks[chunk] = EMPTY;
        this.#unused.push(chunk);
      }
    }
    for (const filling of this.#filling) {
      if (isKept(filling.part)) continue;
      this.bytes -= filling.bytes;
      filling.bytes = 0;
      filling.filled = CHUNK_BYTES;
    }
  }

  /** The bytes a record lies in, from `placeOf(record)` on. */
  chunkOf(record: number): Buffer {
    return this.#chunks[record >>> CHUNK_BITS] as Buffer;
  }

  placeOf(record: number): number {
    return record & PLACE;
  }

  readWord(record: number, offset: number): number {
    return readWord(this.chunkOf(record), this.placeOf(record) + offset);
  }

  writeWord(record: number, offset: number, value: number): void {
    writeWord(this.chunkOf(record), this.placeOf(record) + offset, value);
  }

  readByte(record: number, offset: number): number {
    return this.chunkOf(record)[this.placeOf(record) + offset] as number;
  }

  writeByte(record: number, offset: number, value: number): void {
    this.chunkOf(record)[this.placeOf(record) + offset] = value;
  }

  /** Writes these bytes at a place of a record. */
  writeBytes(record: number, offset: number, { bytes, from, to }: Slice): void {
    const chunk = this.chunkOf(record);
    for (let i = from, into = this.placeOf(record) + offset; i < to; i++, into++) chunk[into] = bytes[i] as number;
  }

  /** So many bytes of a record, where they lie. */
  sliceOf(record: number, offset: number, length: number): Held {
    const from = this.placeOf(record) + offset;
    return { bytes: this.chunkOf(record), from, to: from + length };
  }

  /** Whether a record holds these bytes at this place, after their length at that one. */
  holds(record: number, lengthAt: number, offset: number, other: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (this.readWord(record, lengthAt) !== length) return false;
    const chunk = this.chunkOf(record);
    const at = this.placeOf(record) + offset;
    for (let i = length - 1; i >= 0; i--) if (chunk[at + i] !== other[from + i]) return false;
    return true;
  }
}

/** Four bytes as an unsigned number. */
const readWord = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0;

const writeWord = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
};
