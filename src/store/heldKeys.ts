/** held keys: the names a scan found that only a scan can find, until it is known whose they are; then each with the id it
 * goes with. A name is kept without what its template begins with, and, where there are many, packed.
 */
import { Arena, NONE } from './arena.ts';
import { mostPacked, Symbols } from './symbols.ts';

/** A name that is held: the number of its record. */
export type Key = number & { readonly of: 'key' };
export const NO_KEY = NONE as Key;

/**
 * Places in a record; `next` and `other` are words of four bytes, `template` and `length` have two. Of a long name a word stands before
 * its bytes, which tells the length.
 */
const KEY = { next: 0, template: 4, other: 6, length: 10, bytes: 12 };
const WORD = 4;
const LONG = 0xffff;
/** Beside the template: whether it was told who owns the key. More owners than two, or some of one swarm alone, are not told. */
const TOLD = 0x8000;
/** Beside the template: whether the name's bytes are packed; the length is what they were. */
const PACKED = 0x4000;
/** Longer names are kept as they are: they are few. */
const MOST_BYTES_PACKED = 512;

export class HeldKeys {
  count = 0;
  /** Whether others of the same partition were let go before, or are to be found yet. */
  arePart = false;
  readonly #arena = new Arena();
  readonly #beginnings: readonly Uint8Array[];
  #last = NO_KEY;
  #name = Buffer.alloc(256);
  #symbols: Symbols | null = null;
  readonly #packed = Buffer.alloc(mostPacked(MOST_BYTES_PACKED));

  /** @param beginnings what the names of each template begin with, by its position */
  constructor(beginnings: readonly string[]) {
    this.#beginnings = beginnings.map((text) => Buffer.from(text, 'latin1'));
  }

  /** The memory held. */
  get bytes(): number {
    return this.#arena.bytes;
  }

  /** Holds a name that reads as the template of this position. */
  hold(template: number, name: Uint8Array): void {
    const from = this.#beginningOf(template).length;
    const length = name.length - from;
    if (this.#symbols !== null && length <= MOST_BYTES_PACKED) {
      const packed = this.#symbols.pack(name, from, name.length, this.#packed);
      // One unlike those it was learnt from stays as it is.
      if (packed < length) {
        this.#add(template | PACKED, length, this.#packed, 0, packed);
        return;
      }
    }
    this.#add(template, length, name, from, name.length);
  }

  #add(template: number, length: number, bytes: Uint8Array, from: number, to: number): void {
    const arena = this.#arena;
    const isLong = length >= LONG;
    const at = isLong ? KEY.bytes + WORD : KEY.bytes;
    const key = arena.allocate(at + to - from) as Key;
    arena.writeWord(key, KEY.next, this.#last);
    this.#writeHalf(key, KEY.template, template);
    this.#writeHalf(key, KEY.length, isLong ? LONG : length);
    if (isLong) arena.writeWord(key, KEY.bytes, length);
    arena.writeBytes(key, at, bytes, from, to);
    this.#last = key;
    this.count++;
  }

  /**
   * Names that are held from now on are packed, as those suggest that are held already: the field's take half as much then. It costs the
   * worker a third of a second for a million of them, so only who needs the room should want it.
   */
  pack(): void {
    if (this.#symbols !== null || this.count === 0) return;
    this.#symbols = new Symbols(this.#beginningsOfNames());
  }

  *#beginningsOfNames(): Generator<Uint8Array> {
    for (const key of this.all()) {
      const { bytes, from, to } = this.#arena.sliceOf(key, KEY.bytes, Math.min(this.bytesOf(key), MOST_BYTES_PACKED));
      yield bytes.subarray(from, to);
    }
  }

  #beginningOf(template: number): Uint8Array {
    return this.#beginnings[template] as Uint8Array;
  }

  /** All that were held. Each may be linked elsewhere once it was shown. */
  *all(): Generator<Key> {
    for (let key = this.#last; key !== NO_KEY; ) {
      const next = this.nextTo(key);
      yield key;
      key = next;
    }
  }

  nextTo(key: Key): Key {
    return this.#arena.readWord(key, KEY.next) as Key;
  }

  /** Puts a key before another one. */
  link(key: Key, next: Key): void {
    this.#arena.writeWord(key, KEY.next, next);
  }

  #readHalf(key: Key, place: number): number {
    return this.#arena.readByte(key, place) | (this.#arena.readByte(key, place + 1) << 8);
  }

  #writeHalf(key: Key, place: number, value: number): void {
    this.#arena.writeByte(key, place, value);
    this.#arena.writeByte(key, place + 1, value >>> 8);
  }

  templateOf(key: Key): number {
    return this.#readHalf(key, KEY.template) & ~(TOLD | PACKED);
  }

  /** Notes that nobody else is known who could own a key than the id it goes with and, where it is not 0, this other one. */
  tellOwners(key: Key, other: number): void {
    this.#writeHalf(key, KEY.template, this.#readHalf(key, KEY.template) | TOLD);
    this.#arena.writeWord(key, KEY.other, other);
  }

  /** Whether that was noted. */
  areOwnersTold(key: Key): boolean {
    return (this.#readHalf(key, KEY.template) & TOLD) !== 0;
  }

  /** The id noted so; 0 where there is none. */
  otherOf(key: Key): number {
    return this.#arena.readWord(key, KEY.other);
  }

  /** Its name; it holds until the next one is asked for. */
  nameOf(key: Key): Uint8Array {
    const beginning = this.#beginningOf(this.templateOf(key));
    const rest = this.bytesOf(key);
    const length = beginning.length + rest;
    if (length > this.#name.length) this.#name = Buffer.alloc(length * 2);
    const name = this.#name;
    name.set(beginning);
    const { bytes, from, to } = this.#arena.sliceOf(key, rest >= LONG ? KEY.bytes + WORD : KEY.bytes, rest);
    if (this.#isPacked(key)) this.#symbols?.unpack(bytes, from, name, beginning.length, length);
    else for (let at = from, into = beginning.length; at < to; at++, into++) name[into] = bytes[at] as number;
    return name.subarray(0, length);
  }

  #isPacked(key: Key): boolean {
    return (this.#readHalf(key, KEY.template) & PACKED) !== 0;
  }

  /** How long its name is, without what its template begins with. */
  bytesOf(key: Key): number {
    const length = this.#readHalf(key, KEY.length);
    return length === LONG ? this.#arena.readWord(key, KEY.bytes) : length;
  }

  /** Forgets all of them. Nobody may ask for them any more. */
  clear(): void {
    this.#arena.clear();
    this.#last = NO_KEY;
    this.count = 0;
  }
}
