/** arena: records of bytes outside the JavaScript heap. What a run holds for a million coordinators is small as bytes; as
 * objects and strings it takes five times the room, and the collector walks all of them again and again.
 */

/** Records are found by a 32-bit reference: the chunk's number, then the place in it. */
const CHUNK_BITS = 20;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const PLACE = CHUNK_BYTES - 1;
/** What fits the rest of the reference. */
const MOST_CHUNKS = 2 ** (32 - CHUNK_BITS);

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

export class Arena {
  /** Bytes taken by records. */
  bytes = 0;
  readonly #chunks: Buffer[] = [];
  /** The chunk being filled, and how far. The first byte is never used, so that no record is `NONE`. */
  #current = -1;
  #filled = CHUNK_BYTES;

  /** Reserves a record of this many bytes. Its bytes are whatever they were. */
  allocate(bytes: number): number {
    this.bytes += bytes;
    if (bytes > CHUNK_BYTES / 4) return this.#open(bytes) * CHUNK_BYTES;
    if (this.#filled + bytes > CHUNK_BYTES) {
      this.#current = this.#open(CHUNK_BYTES);
      this.#filled = this.#current === 0 ? 1 : 0;
    }
    const record = this.#current * CHUNK_BYTES + this.#filled;
    this.#filled += bytes;
    return record;
  }

  #open(bytes: number): number {
    // A large record has a chunk of its own; the very first chunk is an ordinary one.
    if (this.#chunks.length === 0 && bytes !== CHUNK_BYTES) this.#chunks.push(Buffer.alloc(0));
    if (this.#chunks.length >= MOST_CHUNKS) throw new RangeError('the arena is full; lower memoryBudget');
    this.#chunks.push(Buffer.allocUnsafeSlow(bytes));
    return this.#chunks.length - 1;
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
