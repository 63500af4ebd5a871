/** open block: the rows collected for the next block, as they come. What it takes is known from its shape, whatever comes. */
import type { Shape } from './form.ts';

/** Instead of a row: there was no room for it. */
export const NO_ROOM = -1;
/** What stands for a swarm that is none. */
export const NO_SWARM = -1;
/** What stands for a swarm of this length that the id begins with. Turns itself back. */
export function prefixOf(lengthOrSwarm: number): number {
  return -2 - lengthOrSwarm;
}

function alike(a: Uint8Array, aFrom: number, b: Uint8Array, bFrom: number, length: number): boolean {
  // From the end: names that differ mostly do so there.
  for (let i = length - 1; i >= 0; i--) if (a[aFrom + i] !== b[bFrom + i]) return false;
  return true;
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
  return hash ^ (hash >>> 15);
}

export class OpenBlock {
  count = 0;
  /** All names; `idFrom` and the like are places in it. */
  readonly bytes: Uint8Array;
  readonly idFrom: Uint32Array;
  readonly idTo: Uint32Array;
  /** A place in the table of swarms, `NO_SWARM`, or `prefixOf` a length. */
  readonly swarm: Int32Array;
  /** The numbers of each column, row by row; whoever adds a row writes its numbers. Whole, from 0 to 2^53 - 1. */
  readonly numbers: readonly Float64Array[];
  /** The table of swarms, each once. */
  readonly swarmFrom: Uint32Array;
  readonly swarmTo: Uint32Array;
  #swarms = 0;
  #used = 0;
  /** Places in that table, plus 1, by hash. */
  readonly #slots: Uint16Array;

  constructor(readonly shape: Shape) {
    const { mostRows, mostBytes, numbers } = shape;
    this.bytes = new Uint8Array(mostBytes);
    this.idFrom = new Uint32Array(mostRows);
    this.idTo = new Uint32Array(mostRows);
    this.swarm = new Int32Array(mostRows);
    this.numbers = Array.from({ length: numbers }, () => new Float64Array(mostRows));
    this.swarmFrom = new Uint32Array(mostRows);
    this.swarmTo = new Uint32Array(mostRows);
    // Half of them stay empty, and their count is a power of two.
    this.#slots = new Uint16Array(2 ** Math.ceil(Math.log2(2 * mostRows)));
  }

  clear(): void {
    this.count = 0;
    this.#swarms = 0;
    this.#used = 0;
    this.#slots.fill(0);
  }

  /** Copies the names of one row; its place, or `NO_ROOM`, and nothing is changed. `swarm` is `null` where there is none. */
  add(
    coordinator: Uint8Array,
    from: number,
    to: number,
    swarm: Uint8Array | null,
    swarmFrom: number,
    swarmTo: number,
  ): number {
    const needed = to - from + (swarm === null ? 0 : swarmTo - swarmFrom);
    if (this.count === this.shape.mostRows || this.#used + needed > this.shape.mostBytes) return NO_ROOM;
    const record = this.count++;
    this.idFrom[record] = this.#used;
    this.#copy(coordinator, from, to);
    this.idTo[record] = this.#used;
    this.swarm[record] = swarm === null ? NO_SWARM : this.#swarmOf(record, swarm, swarmFrom, swarmTo);
    return record;
  }

  #copy(source: Uint8Array, from: number, to: number): void {
    const { bytes } = this;
    let into = this.#used;
    for (let at = from; at < to; ) bytes[into++] = source[at++] as number;
    this.#used = into;
  }

  #swarmOf(record: number, swarm: Uint8Array, from: number, to: number): number {
    const length = to - from;
    const idFrom = this.idFrom[record] as number;
    const idTo = this.idTo[record] as number;
    if (length <= idTo - idFrom && alike(swarm, from, this.bytes, idFrom, length)) return prefixOf(length);
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(swarm, from, to) & mask; ; slot = (slot + 1) & mask) {
      const place = (this.#slots[slot] as number) - 1;
      if (place === -1) {
        this.#slots[slot] = this.#swarms + 1;
        this.swarmFrom[this.#swarms] = this.#used;
        this.#copy(swarm, from, to);
        this.swarmTo[this.#swarms] = this.#used;
        return this.#swarms++;
      }
      const placeFrom = this.swarmFrom[place] as number;
      const sameLength = (this.swarmTo[place] as number) - placeFrom === length;
      if (sameLength && alike(swarm, from, this.bytes, placeFrom, length)) return place;
    }
  }
}
