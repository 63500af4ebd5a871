/** blocks: the door to all that the ledger keeps in the queue's Redis. A block is a string under a name of its own.
 *
 *      <prefix>:ledger:<name>      a block
 *      <prefix>:ledger:names       their names in order, so that those of one target, one run … stand together
 *      <prefix>:ledger:ages        their names by age
 *      <prefix>:ledger:bytes       what all of them take
 *      <prefix>:ledger:targets     which targets there are
 *
 *  Owns      size and age: whatever is written, the oldest go in the same step. Nothing else removes anything.
 *  Leaves    what is in a block to those who write it.
 *  Promises  no call reads or removes more than a bounded number of blocks.
 *
 *  Every method rejects with the error of Redis when that can't be reached or refuses (`NOPERM`, `OOM`, `READONLY` …).
 */
import type { Redis } from 'ioredis';
import { type Calls, ServerCalls } from '../redis/call/calls.ts';
import { type FilterPlace, filters, MOST_FILTERS } from '../redis/filters.ts';
import { type FilterQuestion, holding, MOST_BLOCKS } from '../redis/holding.ts';
import { writeBlock } from '../redis/writeBlock.ts';
import { AGELESS_MS, Ages, LAST, type Listed } from './ages.ts';
import { VERSION_BYTES } from './sealed.ts';

/** How long and how much the ledger keeps. */
export interface Bounds {
  /** What all blocks may take in Redis, in bytes. */
  readonly sizeBytes: number;
  readonly ageMs: number;
}

/** Blocks for each call: some 20 kB each, as long as they hold no names of keys. */
const READ_AT_ONCE = 8;
/** Heads of blocks for each call: some 2 kB each. */
const HEADS_AT_ONCE = 64;
/** Each try removes up to 64 blocks: those of 100 GB. */
const MOST_TRIES = 100_000;

/** A block is larger than all blocks together may be. */
export class LedgerTooSmall extends Error {
  override readonly name = 'LedgerTooSmall';
}

export interface Writing {
  /** Of the block that is replaced; empty for none; left out: whatever stands there. */
  readonly replaces?: Buffer;
  /** By which it ages, in ms since the epoch. */
  readonly atMs: number;
  /** The name of a block that is removed in the same step. */
  readonly ends?: string;
  /** That block as it must stand; left out: whatever stands there, or nothing. */
  readonly ending?: Buffer;
}

export class Blocks {
  readonly ages: Ages;
  readonly #calls: Calls;
  readonly #base: string;
  readonly #keys: { readonly bytes: string; readonly byName: string; readonly byAge: string };
  /** Names of the oldest as they were last heard of; only needed once the ledger is nearly full, or old. */
  #oldest: readonly string[] = [];

  /**
   * @param redis the queue's; shared, and never closed here
   * @param prefix the queue's
   */
  constructor(
    readonly redis: Redis,
    prefix: string,
    readonly bounds: Bounds,
  ) {
    this.#calls = new ServerCalls(redis);
    this.#base = `${prefix}:ledger:`;
    this.#keys = { bytes: `${this.#base}bytes`, byName: `${this.#base}names`, byAge: `${this.#base}ages` };
    this.ages = new Ages(redis, this.#keys.byAge, this.#keys.byName);
  }

  keyOf(name: string): string {
    return `${this.#base}${name}`;
  }

  /** The time of the queue's Redis, in ms. */
  async nowMs(): Promise<number> {
    const [seconds = 0, microseconds = 0] = await this.redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  /**
   * Writes a block, and removes what is too old or too much; `false`, and nothing is written, when another version stands
   * than it replaces. Rejects with `LedgerTooSmall` when it can't fit.
   */
  async write(name: string, bytes: Buffer, { replaces, atMs, ends, ending }: Writing): Promise<boolean> {
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const { status, oldest } = await writeBlock(this.#calls, this.#keys, {
        key: this.keyOf(name),
        replaces: versionOf(replaces),
        bytes,
        atMs,
        ends: ends === undefined ? null : { key: this.keyOf(ends), replaces: versionOf(ending) },
        mostBytes: this.bounds.sizeBytes,
        keepFromMs: Math.max(0, (atMs < AGELESS_MS ? atMs : 0) - this.bounds.ageMs),
        oldest: this.#oldest.map((one) => this.keyOf(one)),
      });
      this.#oldest = oldest;
      if (status !== 'full') return status === 'written';
      if (oldest.length === 0) break;
    }
    throw new LedgerTooSmall(`the ledger may take ${this.bounds.sizeBytes} bytes: too few for what must be noted`);
  }

  /**
   * For each beginning, the last names that begin so, from the last one on, `limit` at most.
   * @param upTo where to begin: at the last name that begins with this or comes before it
   */
  async last(beginnings: readonly { from: string; upTo?: string }[], limit: number): Promise<Listed[][]> {
    const names = this.redis.pipeline();
    for (const { from, upTo } of beginnings) {
      names.zrevrangebylex(this.#keys.byName, `[${upTo ?? from}${LAST}`, `[${from}`, 'LIMIT', 0, limit);
    }
    const found = await repliesOf<string[]>(names);
    const ages = this.redis.pipeline();
    for (const name of found.flat()) ages.zscore(this.#keys.byAge, name);
    const scores = await repliesOf<string | null>(ages);
    let at = 0;
    return found.map((list) => list.map((name) => ({ name, atMs: Number(scores[at++] ?? 0) })));
  }

  /** The last names before this one that begin so. */
  async before(name: string, from: string, limit: number): Promise<Listed[]> {
    const found = await this.last([{ from, upTo: name }], limit + 1);
    return (found[0] ?? []).filter((listed) => listed.name < name).slice(0, limit);
  }

  /** Of these blocks those in which something may stand, by the filter that they begin with. */
  async holding(listed: readonly Listed[], question: FilterQuestion): Promise<Listed[]> {
    const some: Listed[] = [];
    for (let from = 0; from < listed.length; from += MOST_BLOCKS) {
      const asked = listed.slice(from, from + MOST_BLOCKS);
      const keys = asked.map(({ name }) => this.keyOf(name));
      for (const at of await holding(this.#calls, keys, question)) some.push(asked[at] as Listed);
    }
    return some;
  }

  /** The filter that each of these blocks begins with, a character a byte; empty for one that is there no more. */
  async *filters(names: readonly string[], place: FilterPlace): AsyncGenerator<[string, string], void, undefined> {
    for (let from = 0; from < names.length; from += MOST_FILTERS) {
      const asked = names.slice(from, from + MOST_FILTERS);
      const found = await filters(
        this.#calls,
        asked.map((name) => this.keyOf(name)),
        place,
      );
      for (const [i, name] of asked.entries()) yield [name, found[i] ?? ''];
    }
  }

  /** Blocks in the order of their names, a few at a time; `null` for one that is there no more. */
  async *read(names: readonly string[]): AsyncGenerator<Buffer | null, void, undefined> {
    for (let from = 0; from < names.length; from += READ_AT_ONCE) {
      const pipeline = this.redis.pipeline();
      for (const name of names.slice(from, from + READ_AT_ONCE)) pipeline.getBuffer(this.keyOf(name));
      yield* await repliesOf<Buffer | null>(pipeline);
    }
  }

  /** The first bytes of blocks; empty for one that is there no more. */
  async *heads(names: readonly string[], bytes: number): AsyncGenerator<Buffer, void, undefined> {
    for (let from = 0; from < names.length; from += HEADS_AT_ONCE) {
      const pipeline = this.redis.pipeline();
      for (const name of names.slice(from, from + HEADS_AT_ONCE)) {
        pipeline.getrangeBuffer(this.keyOf(name), 0, bytes - 1);
      }
      yield* await repliesOf<Buffer>(pipeline);
    }
  }

  /** The targets that stand in the ledger. */
  async targets(): Promise<string[]> {
    return await this.redis.smembers(this.keyOf('targets'));
  }

  /** From now on this target stands in the ledger. */
  async addTarget(target: string): Promise<void> {
    await this.redis.sadd(this.keyOf('targets'), target);
  }
}

function versionOf(block: Buffer | undefined): Buffer | null {
  return block === undefined ? null : block.subarray(0, VERSION_BYTES);
}

/** The replies of a pipeline; rejects with the first error among them. */
export async function repliesOf<T>(pipeline: ReturnType<Redis['pipeline']>): Promise<T[]> {
  if (pipeline.length === 0) return [];
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply as T;
  });
}
