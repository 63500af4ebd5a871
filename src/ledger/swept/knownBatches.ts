/** known batches: which batches stand in the ledger, as they were listed: to list 25,000 of them again takes 50 ms, to hear what is new
 * since then next to nothing.
 */
import type { Ages, Listed } from '../ages.ts';
import { SWEPT } from '../runs/names.ts';

/** More of them are listed each time. */
const MOST = 100_000;
/** What was written may carry an instant that is so much earlier, in ms: a write waited, or clocks differ. */
const LATE_MS = 10_000;
/** What is still later may be missed if just as many went unseen meanwhile: until all are listed again, after so long, in ms. */
const TRUSTED_MS = 60_000;
/** Names are handed out so many at a time. */
const AT_ONCE = 1_000;

export class KnownBatches {
  #byName: Map<string, Listed> | null = null;
  /** When all of them were listed, in ms of this process. */
  #listedAt = 0;
  /** Whatever was written since then must be heard of. */
  #sinceMs = 0;

  /** All that stand there, some at a time, the last written first. Those that are written meanwhile may come last, or be missed. */
  async *last(ages: Ages): AsyncGenerator<readonly Listed[], void, undefined> {
    const known = await this.#refresh(ages);
    if (known === null) {
      yield* this.#listAll(ages);
      return;
    }
    // Of the same millisecond in the order in which Redis lists them.
    const ordered = [...known.values()].sort((a, b) => b.atMs - a.atMs || (a.name < b.name ? 1 : -1));
    for (let from = 0; from < ordered.length; from += AT_ONCE) yield ordered.slice(from, from + AT_ONCE);
  }

  async *#listAll(ages: Ages): AsyncGenerator<readonly Listed[], void, undefined> {
    const all = new Map<string, Listed>();
    const listedAt = performance.now();
    let firstMs: number | null = null;
    for await (const listed of ages.lastWritten(SWEPT, 0)) {
      firstMs ??= listed[0]?.atMs ?? 0;
      for (const one of listed) all.set(one.name, one);
      yield listed;
    }
    if (all.size > MOST) return;
    this.#byName = all;
    this.#listedAt = listedAt;
    this.#sinceMs = (firstMs ?? 0) - LATE_MS;
  }

  /** Makes those that are known those that stand there; `null` when they must be listed. */
  async #refresh(ages: Ages): Promise<ReadonlyMap<string, Listed> | null> {
    const known = this.#byName;
    if (known === null || performance.now() - this.#listedAt > TRUSTED_MS) return null;
    const { count, oldest, written } = await ages.newsSince(SWEPT, this.#sinceMs);
    if (written === null) return null;
    for (const one of written) known.set(one.name, one);
    this.#sinceMs = Math.max(this.#sinceMs, (written[0]?.atMs ?? 0) - LATE_MS);
    // The oldest go first.
    if (known.size > count) {
      for (const { name, atMs } of known.values()) if (oldest === null || atMs < oldest.atMs) known.delete(name);
    }
    return known.size === count ? known : null;
  }
}
