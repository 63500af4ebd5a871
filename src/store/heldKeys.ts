/** held keys: the names a scan found that only a scan can find, until it is known whose they are; then each with the id it
 * goes with. A name is kept without what its template begins with.
 */
import { Arena, NONE, type Slice } from './arena.ts';

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

export class HeldKeys {
  count = 0;
  /** Whether others of the same partition were let go before, or are to be found yet. */
  arePart = false;
  readonly #arena = new Arena();
  readonly #beginnings: readonly Uint8Array[];
  #last = NO_KEY;
  #name = Buffer.alloc(256);

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
    const arena = this.#arena;
    const from = this.#beginningOf(template).length;
    const length = name.length - from;
    const isLong = length >= LONG;
    const bytes = isLong ? KEY.bytes + WORD : KEY.bytes;
    const key = arena.allocate(bytes + length) as Key;
    arena.writeWord(key, KEY.next, this.#last);
    this.#writeHalf(key, KEY.template, template);
    this.#writeHalf(key, KEY.length, isLong ? LONG : length);
    if (isLong) arena.writeWord(key, KEY.bytes, length);
    arena.writeBytes(key, bytes, name, from, name.length);
    this.#last = key;
    this.count++;
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
    return this.#readHalf(key, KEY.template) & ~TOLD;
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
    const rest = this.#restOf(key);
    const length = beginning.length + rest.to - rest.from;
    if (length > this.#name.length) this.#name = Buffer.alloc(length * 2);
    this.#name.set(beginning);
    const name = this.#name;
    for (let at = rest.from, into = beginning.length; at < rest.to; at++, into++) name[into] = rest.bytes[at] as number;
    return name.subarray(0, length);
  }

  /** How long its name is, without what its template begins with. */
  bytesOf(key: Key): number {
    const length = this.#readHalf(key, KEY.length);
    return length === LONG ? this.#arena.readWord(key, KEY.bytes) : length;
  }

  #restOf(key: Key): Slice {
    const length = this.bytesOf(key);
    return this.#arena.sliceOf(key, length >= LONG ? KEY.bytes + WORD : KEY.bytes, length);
  }

  /** Forgets all of them. Nobody may ask for them any more. */
  clear(): void {
    this.#arena.clear();
    this.#last = NO_KEY;
    this.count = 0;
  }
}
