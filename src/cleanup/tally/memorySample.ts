/** memory sample: what the things that a run would remove take in Redis, from a sample of each family (MEMORY USAGE).
 *  Owns      which are asked about: by chance, each as likely as any other, however many come.
 *  Promises  reads only, and touches no idle time. A server or a user that refuses it costs one call.
 *  (https://redis.io/docs/latest/commands/memory-usage/)
 */
import { memoryUsage } from '../../redis/keyspace/keyspace.ts';
import { isRefusal } from '../../redis/rights/refusals.ts';
import type { Reader } from '../../redis/target/reader.ts';

/** Of each family; half of them are let go whenever so many are there, and of the next ones half as many are asked about. */
const MOST_SIZES = 500;
/** So many are asked about together: they take Redis a tenth of a millisecond. */
const ASKED_AT_ONCE = 50;

/** What these things take, in bytes, those left out that are gone; `null` where Redis does not tell. */
export async function sizesOf(node: Reader, names: readonly string[]): Promise<readonly number[] | null> {
  const sizes: number[] = [];
  try {
    for (let from = 0; from < names.length; from += ASKED_AT_ONCE) {
      const some = names.slice(from, from + ASKED_AT_ONCE);
      const found = await node.steadily('read', () => memoryUsage(node.calls, some));
      sizes.push(...found.filter((size) => size !== null));
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return null;
  }
  return sizes;
}

/** Of one family. */
interface Sampled {
  sizes: number[];
  /** One of so many is asked about. */
  every: number;
}

function thin(sampled: Sampled): void {
  // Not every second one: things come in an order, and may well take turns.
  sampled.sizes = sampled.sizes.filter(() => Math.random() < 1 / 2);
  sampled.every *= 2;
}

export class MemorySample {
  #refused = false;
  readonly #families: readonly Sampled[];

  constructor(families: number) {
    this.#families = Array.from({ length: families }, () => ({ sizes: [], every: 1 }));
  }

  /** Looks at some of these things of a family. */
  async take(node: Reader, family: number, names: readonly string[]): Promise<void> {
    const sampled = this.#families[family];
    if (this.#refused || sampled === undefined) return;
    while (names.length > MOST_SIZES * sampled.every) thin(sampled);
    const { every } = sampled;
    const asked = names.filter(() => Math.random() * every < 1);
    const sizes = await sizesOf(node, asked);
    this.#refused ||= sizes === null;
    // Another batch may have made them fewer meanwhile.
    sampled.sizes.push(...(sizes ?? []).filter(() => Math.random() * sampled.every < every));
    while (sampled.sizes.length > MOST_SIZES) thin(sampled);
  }

  /**
   * What so many things of each family take, in bytes; `undefined` where Redis does not tell. A family of which nothing was seen
   * counts as nothing.
   */
  estimate(counts: readonly number[]): number | undefined {
    if (this.#refused) return undefined;
    let bytes = 0;
    for (const [family, { sizes }] of this.#families.entries()) {
      if (sizes.length === 0) continue;
      const sum = sizes.reduce((all, size) => all + size, 0);
      bytes += (sum / sizes.length) * (counts[family] ?? 0);
    }
    return Math.round(bytes);
  }
}
