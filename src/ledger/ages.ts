/** ages: the names of blocks by when they were last written, for whoever asks what is new, or what came last. Every method rejects as those of `Blocks` do. */
import type { Redis } from 'ioredis';

/** The instant of what does not age: it goes neither by size nor by age, and its number is bounded otherwise. */
export const AGELESS_MS = 8e15;
/** Sorts behind whatever a name may go on with. */
export const LAST = '\x7f';
/** Names for each call: they take Redis half a millisecond. */
const LISTED_AT_ONCE = 1_000;

export interface Listed {
  readonly name: string;
  /** The instant it was last written with. */
  readonly atMs: number;
}

/** What is new since some instant, and what tells whether everything else that is known still stands. */
export interface News {
  /** How many names begin so. */
  readonly count: number;
  /** The oldest block of all that age; `null` where there is none. */
  readonly oldest: Listed | null;
  /** Those that begin so and were written then or later; `null`: too many to be told by one call. */
  readonly written: readonly Listed[] | null;
}

export class Ages {
  /**
   * @param byAge the key of names by age
   * @param byName the key of names in order
   */
  constructor(
    private readonly redis: Redis,
    private readonly byAge: string,
    private readonly byName: string,
  ) {}

  /** All blocks that were written after this instant, but for those that do not age; the last written come last. */
  async writtenSince(ms: number): Promise<Listed[]> {
    return listedIn(await this.redis.zrangebyscore(this.byAge, `(${ms}`, `(${AGELESS_MS}`, 'WITHSCORES'));
  }

  /**
   * Those whose names begin so and that were written then or later, some at a time, each once; the last written come first. Those that
   * are written meanwhile, or again, come at the end.
   */
  async *lastWritten(beginning: string, sinceMs: number): AsyncGenerator<Listed[], void, undefined> {
    const seen = new Set<string>();
    const unseen = (listed: readonly Listed[]): Listed[] =>
      listed.filter(({ name }) => name.startsWith(beginning) && !seen.has(name) && seen.add(name));
    let newestMs: number | null = null;
    for await (const listed of this.#fromLast(sinceMs)) {
      newestMs ??= listed[0]?.atMs ?? null;
      const some = unseen(listed);
      if (some.length > 0) yield some;
    }
    for await (const listed of this.#fromLast(newestMs ?? sinceMs)) {
      const some = unseen(listed);
      if (some.length > 0) yield some;
    }
  }

  /** The oldest block of all that age; `null` where there is none. */
  async oldest(): Promise<Listed | null> {
    const found = await this.redis.zrangebyscore(this.byAge, '-inf', `(${AGELESS_MS}`, 'WITHSCORES', 'LIMIT', 0, 1);
    return listedIn(found)[0] ?? null;
  }

  async newsSince(beginning: string, sinceMs: number): Promise<News> {
    const [count, oldest, newest] = await Promise.all([
      this.redis.zlexcount(this.byName, `[${beginning}`, `[${beginning}${LAST}`),
      this.oldest(),
      this.redis.zrevrangebyscore(this.byAge, `(${AGELESS_MS}`, sinceMs, 'WITHSCORES', 'LIMIT', 0, LISTED_AT_ONCE),
    ]);
    const written = listedIn(newest);
    return {
      count,
      oldest,
      written: written.length < LISTED_AT_ONCE ? written.filter(({ name }) => name.startsWith(beginning)) : null,
    };
  }

  /** From the last on. Each call goes on at an instant: to pass over so many takes Redis as long as to tell them. */
  async *#fromLast(sinceMs: number): AsyncGenerator<Listed[], void, undefined> {
    let upTo: number | string = `(${AGELESS_MS}`;
    let passed = 0;
    for (;;) {
      const page = ['LIMIT', passed, LISTED_AT_ONCE] as const;
      const listed = listedIn(await this.redis.zrevrangebyscore(this.byAge, upTo, sinceMs, 'WITHSCORES', ...page));
      const lastMs = listed.at(-1)?.atMs;
      if (lastMs === undefined) return;
      yield listed;
      if (listed.length < LISTED_AT_ONCE) return;
      const alike = listed.filter(({ atMs }) => atMs === lastMs).length;
      passed = lastMs === upTo ? passed + alike : alike;
      upTo = lastMs;
    }
  }
}

/** Names, each followed by its instant. */
function listedIn(found: readonly string[]): Listed[] {
  const listed: Listed[] = [];
  for (let i = 0; i < found.length; i += 2) listed.push({ name: found[i] ?? '', atMs: Number(found[i + 1]) });
  return listed;
}
