/** births: which heartbeats were written while a run looks, as the server tells by itself (CLIENT TRACKING, broadcast mode).
 *
 *      begin ──▶ the walk ──▶ written: all that were, up to the moment it is asked
 *
 *  A walk that passed the place of a heartbeat before it was first written never meets it. To walk again for those costs a pass
 *  over all keys; to be told of each write that may be one costs about what one of these keys costs a pass.
 *  Owns      a connection of its own, from `begin` to `end`.
 *  Promises  `written` leaves out none that was written between the two, or resolves to `null`.
 *  Limits    where far more is written than anybody would be born it gives up; so it does where a server, a user's rights or a
 *            proxy do not let it. Then a pass has to do.
 */
import type { Redis } from '../connection/ioredis.ts';
import type { Info } from './clock.ts';
import type { Link } from './link.ts';
import type { Stopwatch } from '../call/stopwatch.ts';

/** Below so many keys a pass takes Redis no longer than a second connection. */
const FEWEST_KEYS = 20_000;
/** It gives up once it was told of so large a share of the keyspace: being told of one takes Redis what a pass takes for one. */
const MOST_TOLD_SHARE = 0.1;
/** So many names are remembered, some 100 bytes each. */
const MOST_KNOWN = 100_000;
const CHANNEL = '__redis__:invalidate';
/** A server that works with several threads, or is another program altogether, promises no order of what it tells and answers. */
const OTHERS = ['mvcc_depth', 'dragonfly_version'];

export class Births {
  #redis: Redis | null = null;
  #told = 0;
  readonly #names = new Map<string, Buffer>();

  /** @param info what the server said of itself as the run began */
  constructor(
    private readonly link: Link,
    private readonly info: Info,
    private readonly stopwatch: Stopwatch,
  ) {}

  /**
   * From now on it is told of what is written. Never rejects: where it can't be, `written` says so.
   * @param prefix what all names begin with that may be heartbeats
   * @param keyspace how many keys there are, roughly
   * @param signal ends it, and whatever is asked of a server that stands still
   */
  async begin(prefix: string, keyspace: number, signal: AbortSignal): Promise<void> {
    const isPlain = /^[\x21-\x7e]+$/.test(prefix);
    const knowsOrder = this.info.has('redis_version') && !OTHERS.some((field) => this.info.has(field));
    if (!isPlain || !knowsOrder || keyspace < FEWEST_KEYS || this.#redis !== null) return;
    try {
      // By RESP2 what is told comes as messages of a channel, to whoever listens there.
      const redis = await this.link.beside({ protocol: 2 });
      this.#redis = redis;
      const end = () => this.end();
      signal.addEventListener('abort', end, { once: true });
      redis.once('end', () => signal.removeEventListener('abort', end));
      if (signal.aborted) end();
      await this.#listen(redis, prefix, Math.min(keyspace * MOST_TOLD_SHARE, MOST_KNOWN));
    } catch {
      this.end();
    }
  }

  async #listen(redis: Redis, prefix: string, most: number): Promise<void> {
    redis.once('end', () => this.#forget(redis));
    redis.on('messageBuffer', (_, names: unknown) => {
      // Nothing is named where all that is there was dropped.
      if (!Array.isArray(names) || this.#told + names.length > most) {
        this.end();
        return;
      }
      this.#told += names.length;
      for (const name of names as Buffer[]) this.#names.set(name.toString('latin1'), name);
    });
    const id = Number(await this.#ask(redis.client('ID')));
    // In one go: the way may be long.
    const [, said] = await Promise.all([
      this.#ask(redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', 'PREFIX', prefix)),
      this.#ask(redis.call('CLIENT', 'TRACKINGINFO')),
      this.#ask(redis.subscribe(CHANNEL)),
    ]);
    if (!isDone(said, id, prefix)) throw new Error('the server does not say that it tells of writes');
  }

  /** Names that were written since `begin` and may be heartbeats; `null` where that is not known. */
  async written(): Promise<readonly Buffer[] | null> {
    const redis = this.#redis;
    if (redis === null) return null;
    try {
      // What was written before the first is told before the second is answered: a server tells after each turn of its loop.
      await this.#ask(redis.ping());
      await this.#ask(redis.ping());
    } catch {
      this.end();
    }
    if (this.#redis === null) return null;
    const names = [...this.#names.values()];
    this.#names.clear();
    return names;
  }

  /** From now on nothing is known. */
  end(): void {
    const redis = this.#redis;
    this.#redis = null;
    this.#names.clear();
    redis?.disconnect();
  }

  #forget(redis: Redis): void {
    if (this.#redis === redis) this.end();
  }

  async #ask<T>(call: Promise<T>): Promise<T> {
    this.stopwatch.count++;
    return await call;
  }
}

/** Whether it is tracked as was asked. A proxy may answer OK to anything. */
function isDone(said: unknown, id: number, prefix: string): boolean {
  if (!Array.isArray(said)) return false;
  const of = (field: string): unknown => said[said.indexOf(field) + 1];
  const [flags, prefixes] = [of('flags'), of('prefixes')];
  const has = (list: unknown, ...all: string[]) => Array.isArray(list) && all.every((one) => list.includes(one));
  return has(flags, 'on', 'bcast') && has(prefixes, prefix) && Number(of('redirect')) === id;
}
