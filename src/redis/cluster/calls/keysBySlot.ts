/** keysBySlot: names in the order of their slots, so that what goes to one slot, and to one node, goes together. */
import type { Bulk } from '../../call/bulk.ts';
import { weightOfBytes } from '../../pace/weight.ts';
import { SLOTS, slotOf } from './slots.ts';

/** Names of one slot, by their numbers in that order. */
export interface Span {
  readonly slot: number;
  readonly numbers: readonly number[];
}

/** Those of a span from the first position up to, and without, the second. */
export function partOf(span: Span, from: number, to: number): Span {
  return from === 0 && to >= span.numbers.length ? span : { slot: span.slot, numbers: span.numbers.slice(from, to) };
}

/** Names where they stand: nobody may add to their lists, or let go of them, as long as this is used. */
export class KeysBySlot {
  readonly count: number;
  /** Of each, in the order of their slots, its place among all as they were given. */
  readonly places: Uint32Array;
  readonly #slots: Uint16Array;
  /** By place. */
  readonly #bytes: Uint8Array[] = [];
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;

  constructor(lists: readonly Bulk[]) {
    this.count = lists.reduce((sum, { count }) => sum + count, 0);
    this.places = new Uint32Array(this.count);
    this.#slots = new Uint16Array(this.count);
    this.#from = new Uint32Array(this.count);
    this.#to = new Uint32Array(this.count);
    const slots = new Uint16Array(this.count);
    // Of each slot, how many come before it.
    const before = new Uint32Array(SLOTS + 1);
    let place = 0;
    for (const list of lists) {
      list.forEach((bytes, from, to) => {
        const slot = slotOf(bytes, from, to);
        this.#bytes.push(bytes);
        this.#from[place] = from;
        this.#to[place] = to;
        slots[place++] = slot;
        before[slot + 1] = (before[slot + 1] as number) + 1;
      });
    }
    for (let slot = 0; slot < SLOTS; slot++) before[slot + 1] = (before[slot + 1] as number) + (before[slot] as number);
    for (const [at, slot] of slots.entries()) {
      const number = before[slot] as number;
      before[slot] = number + 1;
      this.places[number] = at;
      this.#slots[number] = slot;
    }
  }

  slotOf(number: number): number {
    return this.#slots[number] as number;
  }

  /** The bytes of one, as long as they stand there. */
  bytesOf(number: number): Uint8Array {
    const place = this.places[number] as number;
    return (this.#bytes[place] as Uint8Array).subarray(this.#from[place], this.#to[place]);
  }

  /** How many bytes one has. */
  lengthOf(number: number): number {
    const place = this.places[number] as number;
    return (this.#to[place] as number) - (this.#from[place] as number);
  }

  /** Puts the bytes of one into an argument that was begun. */
  putInto(bulk: Bulk, number: number): void {
    const place = this.places[number] as number;
    bulk.put(this.#bytes[place] as Uint8Array, this.#from[place] as number, this.#to[place] as number);
  }

  /** Adds one to a list of arguments. */
  addTo(bulk: Bulk, number: number): void {
    bulk.begin(this.lengthOf(number));
    this.putInto(bulk, number);
    bulk.end();
  }

  /** The numbers of all. */
  get numbers(): readonly number[] {
    return Array.from({ length: this.count }, (_, number) => number);
  }

  /**
   * Those of these numbers, which are in order, that are of one slot, as many together as come to no more work than so many names of
   * ordinary length; one that alone is more goes alone.
   * @param bytesOf what else is read or compared for one
   */
  spansOf(numbers: readonly number[], most: number, bytesOf: (number: number) => number = () => 0): readonly Span[] {
    const weigh = (number: number) => weightOfBytes(this.lengthOf(number) + bytesOf(number));
    const spans: Span[] = [];
    for (let from = 0, to = 1; from < numbers.length; from = to++) {
      const first = numbers[from] as number;
      const slot = this.slotOf(first);
      for (let weight = weigh(first); to < numbers.length; to++) {
        const next = numbers[to] as number;
        if (this.slotOf(next) !== slot) break;
        weight += weigh(next);
        if (weight > most) break;
      }
      spans.push({ slot, numbers: numbers.slice(from, to) });
    }
    return spans;
  }
}
