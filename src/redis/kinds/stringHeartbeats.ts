/** stringHeartbeats: heartbeats that are a string key each.
 *      read      by MGET, as many in a call as their bytes and Redis' own time allow; what is no string is told from what is gone
 *      proved    unchanged by the value, or its digest (proof), absent by EXISTS
 *      removed   with their key
 * The last two are done in lua/sweep.lua, or by a transaction, in the step that removes what is theirs.
 */
import { ABSENT, OTHER_TYPE, type Reading } from '../../domain/reading.ts';
import { Bulk } from '../call/bulk.ts';
import { existing, readValues } from '../keyspace/keyspace.ts';
import { keptOf } from './proof.ts';
import type { Reader } from '../target/reader.ts';

/** One call brings no more bytes than this, as far as the values read before tell: they take Redis a tenth of a millisecond. */
const MOST_BYTES_READ = 256 * 1024;

/** So many are read at once as long as it is not known how large they are. */
const FIRST_READ = 20;

/** What is kept of a value until Redis is to compare it, and how long that value is. */
export interface Proof {
  readonly bytes: Uint8Array;
  readonly valueBytes: number;
}

export class StringHeartbeats {
  /** The largest value that was read of late, with its name, in bytes: of the last reading, half of that of the one before, and so on. */
  #largest = 0;

  constructor(private readonly node: Reader) {}

  /** How many may be read at once. */
  get most(): number {
    const { size } = this.node.paces.read;
    return this.#largest === 0
      ? Math.min(size, FIRST_READ)
      : Math.max(1, Math.min(size, Math.floor(MOST_BYTES_READ / this.#largest)));
  }

  /** Whether one value is known to fit a call: before the first was read nobody knows. */
  get areLight(): boolean {
    return this.#largest > 0 && this.#largest <= MOST_BYTES_READ;
  }

  /** Reads these, in their order. */
  async read(keys: readonly Buffer[]): Promise<Reading[]> {
    const values = await this.#valuesOf(keys);
    this.#largest /= 2;
    for (const [i, value] of values.entries()) {
      this.#largest = Math.max(this.#largest, (value?.length ?? 0) + (keys[i]?.length ?? 0));
    }
    // MGET says the same of what is no string, and of what is gone.
    const without = keys.flatMap((_, i) => (values[i] == null ? i : []));
    if (without.length === 0) return values as Buffer[];
    const { node } = this;
    const names = without.map((i) => keys[i] as Buffer);
    const exist = await node.steadily('read', () => existing(node.calls, names));
    const readings: Reading[] = values.map((value) => value ?? ABSENT);
    const there = without.filter((_, at) => exist[at]);
    if (there.length === 0) return readings;
    // One that expired may have come back between the two questions.
    const again = await this.#valuesOf(there.map((i) => keys[i] as Buffer));
    for (const [at, i] of there.entries()) readings[i] = again[at] ?? OTHER_TYPE;
    return readings;
  }

  /** What proves that one is still as it was read; where memory is tight in fewer bytes, which takes longer. */
  proofOf(reading: Reading, isTight = false): Proof {
    if (typeof reading === 'symbol') throw new TypeError('only a value can be proved to be the same');
    return { bytes: keptOf(reading, isTight), valueBytes: reading.length };
  }

  /** In one call, unless calls have to be smaller by now: then in as many as that takes. */
  async #valuesOf(keys: readonly Buffer[]): Promise<(Buffer | null)[]> {
    const { node } = this;
    let values: (Buffer | null)[] = [];
    while (values.length < keys.length) {
      const read = await node.steadily('read', async () => {
        const names = new Bulk(keys.length * 48);
        for (const key of keys.slice(values.length, values.length + node.paces.read.size)) names.add(key);
        const answer = await readValues(node.calls, names);
        names.clear();
        return answer;
      });
      node.paces.tell('read', read.values.length, read.ms);
      values = values.length === 0 ? read.values : values.concat(read.values);
    }
    return values;
  }
}
