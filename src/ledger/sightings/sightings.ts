/** sightings: the door to what a target's runs saw of living coordinators, in the queue's Redis.
 *
 *      <key>              the version that stands: a random name, and how many blocks it has
 *      <key>:<version>    its blocks, a list
 *      <key>:given        the same of whose things were given back from the trash
 *
 *  Where nothing stands there yet, as after a target got another name, what others left of the very same heartbeats under theirs is read.
 *
 *  Owns      versions: a new one is written beside the one that stands and put in its place in one step.
 *  Leaves    what is in a block to `sightingsBlock`; whether to go on without sightings to the caller.
 *  Promises  whoever loads gets one version, whole, or is told so; a writer that dies leaves nothing for good.
 *
 *  Every method rejects with the error of Redis when that can't be reached or refuses (`NOPERM`, `OOM`, `READONLY` …).
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { type Calls, ServerCalls } from '../../redis/call/calls.ts';
import { replaceSightings } from '../../redis/replaceSightings.ts';

const DAY_SECONDS = 86_400;
const KEEP_SECONDS = 90 * DAY_SECONDS;
/** From block to block, and from the last one until they are put in place. Then a writer is taken for gone. */
const WRITING_SECONDS = 60;
/** Replaced sightings stay this long for those who are reading them: 32 MB are read in a second or two. */
const GRACE_SECONDS = 10;
/** Blocks for each call: mostly 250 kB, where ids are uuids 1 MB. */
const AT_ONCE = 2;
const VERSION = /^[0-9a-f]+:(\d+)$/i;
/** No version is longer. */
const MOST_VERSION_BYTES = 64;

/** The blocks that were being read were replaced meanwhile, and are gone; those read so far belong together, but are not all. */
export class SightingsReplaced extends Error {
  override readonly name = 'SightingsReplaced';
}

export interface LoadedSightings {
  /** What `replace` must be given to replace these; `null`: there are none. */
  readonly version: string | null;
  /** Whether something stood there that is no sightings, or not whole. Then there are no blocks, and `replace` mends it. */
  readonly damaged: boolean;
  /** Whether they were left under other names, maybe long ago. */
  readonly fromOthers: boolean;
  /** The blocks, a few at a time. Rejects with `SightingsReplaced` when a slow reader lost them to a newer version. */
  blocks(): AsyncGenerator<Buffer, void, undefined>;
}

export class Sightings {
  readonly #calls: Calls;

  /**
   * @param redis the queue's; shared, and never closed here
   * @param key that of the target, of `sightingsKeysOf`
   * @param others where others may have left what they saw of the same heartbeats; asked where nothing stands under `key`
   */
  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    private readonly others: () => Promise<readonly string[]> = nobody,
  ) {
    this.#calls = new ServerCalls(redis);
  }

  /** Where it stands, in the same form, whose things were given back. */
  get givenBack(): Sightings {
    return new Sightings(this.redis, givenKeyOf(this.key), async () => (await this.others()).map(givenKeyOf));
  }

  /** Looks which version stands. */
  async load(): Promise<LoadedSightings> {
    const own = await this.#loadOwn();
    if (own.version !== null || own.damaged) return own;
    const keys = await this.others();
    const standing = keys.length === 0 ? [] : await this.redis.mget(...keys);
    const left: LoadedSightings[] = [];
    for (const [i, key] of keys.entries()) {
      const one = standing[i] ? await new Sightings(this.redis, key).load() : own;
      if (one.version !== null && !one.damaged) left.push(one);
    }
    return left.length === 0 ? own : { ...own, fromOthers: true, blocks: () => blocksOfAll(left) };
  }

  async #loadOwn(): Promise<LoadedSightings> {
    const standing = await orNull(this.redis.getrange(this.key, 0, MOST_VERSION_BYTES - 1));
    const [version, blocks] = VERSION.exec(standing ?? '') ?? [];
    const fromOthers = false;
    if (version === undefined) return { version: null, damaged: standing !== '', fromOthers, blocks: nothing };
    const count = Number(blocks);
    const whole = (await orNull(this.redis.llen(this.#blocksOf(version)))) === count;
    return { version, damaged: !whole, fromOthers, blocks: whole ? () => this.#blocks(version, count) : nothing };
  }

  /**
   * Replaces all blocks in one step, if `version` still stands; resolves to whether it did. They are kept for 90 days.
   * While they are written, and ten seconds after, both the old and the new ones take room.
   */
  async replace(blocks: readonly Buffer[], version: string | null): Promise<boolean> {
    const next = `${randomBytes(16).toString('hex')}:${blocks.length}`;
    const list = this.#blocksOf(next);
    for (const block of blocks) await this.#append(list, block);
    const replaced = await replaceSightings(this.#calls, {
      key: this.key,
      expected: version === null ? null : { version, blocks: this.#blocksOf(version) },
      next: { version: next, blocks: list, count: blocks.length },
      keepSeconds: KEEP_SECONDS,
      graceSeconds: GRACE_SECONDS,
    });
    if (!replaced) await this.redis.unlink(list);
    return replaced;
  }

  #blocksOf(version: string): string {
    return `${this.key}:${version}`;
  }

  /** Appends a block to a list that expires by itself, from its first block on. */
  async #append(list: string, block: Buffer): Promise<void> {
    try {
      const replies = await this.redis.multi().rpush(list, block).expire(list, WRITING_SECONDS).exec();
      for (const [error] of replies ?? []) if (error) throw error;
    } catch (error) {
      // Of a transaction in which a command was refused Redis says no more than that it was discarded.
      const { previousErrors: [refused] = [] } = error as { previousErrors?: readonly Error[] };
      throw refused ?? error;
    }
  }

  async *#blocks(version: string, count: number): AsyncGenerator<Buffer, void, undefined> {
    for (let from = 0; from < count; from += AT_ONCE) {
      const to = Math.min(from + AT_ONCE, count);
      const blocks = await this.redis.lrangeBuffer(this.#blocksOf(version), from, to - 1);
      if (blocks.length < to - from) throw new SightingsReplaced(`version ${version} was replaced while it was read`);
      yield* blocks;
    }
  }
}

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {}

async function nobody(): Promise<readonly string[]> {
  return [];
}

function givenKeyOf(key: string): string {
  return `${key}:given`;
}

async function* blocksOfAll(some: readonly LoadedSightings[]): AsyncGenerator<Buffer, void, undefined> {
  for (const { blocks } of some) yield* blocks();
}

/** `null` where the key is of another type. */
async function orNull<T>(reply: Promise<T>): Promise<T | null> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return null;
    throw error;
  }
}
