/** kept filters: the filters of batches, as they were read. Who shows pages asks about one id after the other, and a filter never
 * changes: to ask Redis for all of them again takes ten times as long as to look at them.
 */
import type { Blocks } from '../blocks.ts';
import { FILTER_PLACE } from './batchForm.ts';
import { type Hashes, hashesOf, mayHoldHashed } from './filter.ts';

/** What is kept in memory, in bytes: the filters of 100,000 small batches, or of 16 million coordinators. */
const MOST_BYTES = 32 * 1024 * 1024;
/** What one takes besides its name and itself. */
const EACH_BYTES = 120;

export class KeptFilters {
  /** By name: those that were asked for since the others filled their half of the room, and those others. */
  #young = new Map<string, string>();
  #old = new Map<string, string>();
  #youngBytes = 0;

  /** @param mostBytes what all of them may take @default 32 MB */
  constructor(private readonly mostBytes = MOST_BYTES) {}

  /** Of these batches those in which one of the ids may stand; none of one that is gone. Asks Redis for filters that are not kept. Rejects as `Blocks` do. */
  async among(blocks: Blocks, names: readonly string[], ids: readonly Uint8Array[]): Promise<string[]> {
    const found = new Map<string, string>();
    const unknown: string[] = [];
    for (const name of names) {
      const filter = this.#get(name);
      if (filter === undefined) unknown.push(name);
      else found.set(name, filter);
    }
    for await (const [name, filter] of blocks.filters(unknown, FILTER_PLACE)) {
      // One that is gone, or is no batch: it may be written yet.
      if (filter === '') continue;
      this.#keep(name, filter);
      found.set(name, filter);
    }
    const hashes = ids.map(hashesOf);
    const holds = (filter: string) => hashes.some((one: Hashes) => mayHoldHashed(filter, one));
    return names.filter((name) => holds(found.get(name) ?? ''));
  }

  #get(name: string): string | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) {
      this.#old.delete(name);
      this.#keep(name, old);
    }
    return old;
  }

  #keep(name: string, filter: string): void {
    this.#young.set(name, filter);
    this.#youngBytes += name.length + filter.length + EACH_BYTES;
    if (this.#youngBytes <= this.mostBytes / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}
