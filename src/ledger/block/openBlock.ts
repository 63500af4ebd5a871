/** open block: the sightings collected for the next block, as they come. Takes 2 MB, whatever comes. */

/** The more stand together, the less there is between neighbours: 16,384 take 6 to 14 % more each. At most 2^18. */
export const MOST_SIGHTINGS = 32_768;
/** Room for their names, and so the longest name. */
export const MOST_BYTES = 1024 * 1024;

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
  readonly bytes = new Uint8Array(MOST_BYTES);
  readonly idFrom = new Uint32Array(MOST_SIGHTINGS);
  readonly idTo = new Uint32Array(MOST_SIGHTINGS);
  /** A place in the table of swarms, `NO_SWARM`, or `prefixOf` a length. */
  readonly swarm = new Int32Array(MOST_SIGHTINGS);
  readonly beatAtSeconds = new Float64Array(MOST_SIGHTINGS);
  /** The table of swarms, each once. */
  readonly swarmFrom = new Uint32Array(MOST_SIGHTINGS);
  readonly swarmTo = new Uint32Array(MOST_SIGHTINGS);
  #swarms = 0;
  #used = 0;
  /** Places in that table, plus 1, by hash. */
  readonly #slots = new Uint16Array(2 * MOST_SIGHTINGS);

  clear(): void {
    this.count = 0;
    this.#swarms = 0;
    this.#used = 0;
    this.#slots.fill(0);
  }

  /** Copies one sighting; `false`, and nothing is changed, when there is no room for it. */
  add(
    coordinator: Uint8Array,
    from: number,
    to: number,
    swarm: Uint8Array | null,
    swarmFrom: number,
    swarmTo: number,
    beatAtSeconds: number,
  ): boolean {
    const needed = to - from + (swarm === null ? 0 : swarmTo - swarmFrom);
    if (this.count === MOST_SIGHTINGS || this.#used + needed > MOST_BYTES) return false;
    const record = this.count++;
    this.idFrom[record] = this.#used;
    this.#copy(coordinator, from, to);
    this.idTo[record] = this.#used;
    this.swarm[record] = swarm === null ? NO_SWARM : this.#swarmOf(record, swarm, swarmFrom, swarmTo);
    this.beatAtSeconds[record] = beatAtSeconds;
    return true;
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
