/** arena: records of bytes outside the JavaScript heap. What a run holds for a million coordinators is small as bytes; as
 * objects and strings it takes five times the room, and the collector walks all of them again and again.
 */

/** Records are known by a 32-bit reference: the chunk's number, then the place in it. */
const CHUNK_BITS = 16;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const PLACE = CHUNK_BYTES - 1;
/** What fits the rest of the reference: with the place, four gigabytes. */
const MOST_CHUNKS = 2 ** (32 - CHUNK_BITS);
const EMPTY = Buffer.alloc(0);

/** A part of some bytes. */
export interface Slice {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** A part of a record's bytes; it stays where it is. */
export interface Held extends Slice {
  readonly bytes: Buffer;
}

/** No record. */
export const NONE = 0;

export class Arena {
  /** The memory that records take, in bytes; a chunk just opened takes 64 KiB more. */
  bytes = 0;
  /** Chunk 0 is never filled, so that no record is `NONE`. */
  #chunks: Buffer[] = [EMPTY];
  #filled = CHUNK_BYTES;

  /** Reserves a record of this many bytes. Its bytes are whatever they were. */
  allocate(bytes: number): number {
    this.bytes += bytes;
    // A large record has a chunk of its own.
    if (bytes > CHUNK_BYTES) {
      this.#filled = CHUNK_BYTES;
      return this.#open(bytes) * CHUNK_BYTES;
    }
    if (this.#filled + bytes > CHUNK_BYTES) {
      this.#open(CHUNK_BYTES);
      this.#filled = 0;
    }
    const record = (this.#chunks.length - 1) * CHUNK_BYTES + this.#filled;
    this.#filled += bytes;
    return record;
  }

  #open(bytes: number): number {
    const chunk = this.#chunks.length;
    if (chunk >= MOST_CHUNKS) throw new RangeError('more than an arena holds; lower memoryBudget');
    this.#chunks.push(Buffer.allocUnsafeSlow(bytes));
    return chunk;
  }

  /** Forgets all records. */
  clear(): void {
    this.#chunks = [EMPTY];
    this.#filled = CHUNK_BYTES;
    this.bytes = 0;
  }

  /** The bytes a record lies in, from `placeOf(record)` on. */
  chunkOf(record: number): Buffer {
    return this.#chunks[record >>> CHUNK_BITS] as Buffer;
  }

  placeOf(record: number): number {
    return record & PLACE;
  }

  readWord(record: number, offset: number): number {
    const chunk = this.chunkOf(record);
    const at = (record & PLACE) + offset;
    return (
      ((chunk[at] as number) |
        ((chunk[at + 1] as number) << 8) |
        ((chunk[at + 2] as number) << 16) |
        ((chunk[at + 3] as number) << 24)) >>>
      0
    );
  }

  writeWord(record: number, offset: number, value: number): void {
    const chunk = this.chunkOf(record);
    const at = (record & PLACE) + offset;
    chunk[at] = value;
    chunk[at + 1] = value >>> 8;
    chunk[at + 2] = value >>> 16;
    chunk[at + 3] = value >>> 24;
  }

  readByte(record: number, offset: number): number {
    return this.chunkOf(record)[(record & PLACE) + offset] as number;
  }

  writeByte(record: number, offset: number, value: number): void {
    this.chunkOf(record)[(record & PLACE) + offset] = value;
  }

  /** Writes these bytes at a place of a record. */
  writeBytes(record: number, offset: number, bytes: Uint8Array, from: number, to: number): void {
    const chunk = this.chunkOf(record);
    for (let i = from, into = (record & PLACE) + offset; i < to; i++, into++) chunk[into] = bytes[i] as number;
  }

  /** So many bytes of a record, where they lie. */
  sliceOf(record: number, offset: number, length: number): Held {
    const from = (record & PLACE) + offset;
    return { bytes: this.chunkOf(record), from, to: from + length };
  }

  /** Whether a record holds these bytes at this place, after their length at that one. */
  holds(record: number, lengthAt: number, offset: number, other: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (this.readWord(record, lengthAt) !== length) return false;
    const chunk = this.chunkOf(record);
    const at = (record & PLACE) + offset;
    for (let i = length - 1; i >= 0; i--) if (chunk[at + i] !== other[from + i]) return false;
    return true;
  }
}

/** Whether two slices of the same length hold the same bytes; from behind, since names differ late. */
export function isSame(a: Slice, b: Slice): boolean {
  for (let i = a.to - a.from - 1; i >= 0; i--) if (a.bytes[a.from + i] !== b.bytes[b.from + i]) return false;
  return true;
}
