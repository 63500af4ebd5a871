/** link: a run's connection to one server, which may be cut and opened anew, and does not outlive that server.
 *
 * Whoever else answers at this address may have restarted with old data, or never have seen what the first one was told, and what
 * is stale must be judged anew (P10). So a new connection counts only where INFO names the same process, still a primary of
 * the same history: a replica that took over has another `run_id`; a server that was made a replica and a primary again, whose
 * data then are another's, has another `master_replid`, and says which it had before. One that calls its history by a new name, as Redis
 * does when a first replica or a backup comes to it, and an hour after the last one left, says none, and has heard nothing from a primary meanwhile.
 * SCAN's cursors hold on all connections of one process.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { Address } from '../../config/values/tls.ts';
import { Failure } from '../../domain/failure.ts';
import { ConnectionLost } from '../call/lost.ts';
import { infoIn, type Info } from './clock.ts';
import { type BesideOptions, connectBeside, connectForRun, infoAtOpening } from '../connection/connectForRun.ts';
import type { Redis } from '../connection/ioredis.ts';
import { isPassing } from '../connection/unready.ts';
import { openForRun } from './opening.ts';
import { retrying } from './retrying.ts';

/** However slow each attempt to come back is, none begins after this. */
const LONGEST_ABSENCE_MS = 20_000;

/** Who is asked on both connections answers on a way that stands as soon on the one as on the other, but for this much. */
const STILL_SILENT_MS = 2_000;

function identityIn(info: Info): string | null {
  const fields = ['run_id', 'role', 'master_replid'].map((name) => info.get(name));
  return fields[0] ? fields.join(' ') : null;
}

/** Of what `identityIn` says, the process and its role. */
function processOf(identity: string | null): string | null {
  return identity?.replace(/ \S*$/, '') ?? null;
}

/** Whether this process had no other history of late, as it says itself: it forgets that once it drops its backlog. */
function hadNoOther(info: Info): boolean {
  return /^0+$/.test(info.get('master_replid2') ?? '');
}

/** How much a server has heard from primaries that it followed, from Redis 7 on. */
const HEARD = 'total_net_repl_input_bytes';

/** What became of a connection on which a call was not answered in time; `silent`: the server, or that one, answers on none. */
export type AfterSilence = 'replaced' | 'answers' | 'silent';

export class Link {
  #redis: Redis;
  #identity: string | null = null;
  #heard: string | undefined;
  #rememberedAt = 0;
  #reopening: Promise<void> | null = null;
  #replacing: Promise<AfterSilence> | null = null;
  #isClosed = false;

  private constructor(
    private readonly address: Address,
    redis: Redis,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#redis = redis;
  }

  /**
   * Opens it; a server that is not ready to serve is waited for. Fails as `connect` does.
   * @param signal ends every attempt to open it at once, with its reason
   */
  static async open(address: Address, signal?: AbortSignal): Promise<Link> {
    const link = new Link(address, await openForRun(address, signal), signal);
    link.remember(infoAtOpening(link.#redis));
    return link;
  }

  /** Which process of which history answers there; `null` where INFO does not say. */
  get identity(): string | null {
    return this.#identity;
  }

  /** The connection as it is now. */
  get redis(): Redis {
    return this.#redis;
  }

  /** When it was learnt whom it leads to, by `performance.now()`. */
  get rememberedAt(): number {
    return this.#rememberedAt;
  }

  /** Learns whom it leads to. Where INFO does not say, a lost connection is not opened anew. */
  remember(info: Info): void {
    this.#identity = identityIn(info);
    this.#heard = info.get(HEARD);
    this.#rememberedAt = performance.now();
  }

  /**
   * Opens it anew after it was lost, unless that has been done. Fails (`UNREACHABLE`) when the same server does not answer within
   * seconds.
   */
  async reopen(): Promise<void> {
    if (this.#redis.status === 'ready') return;
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = null;
    });
    await this.#reopening;
  }

  async #reopen(): Promise<void> {
    if (this.#identity === null) {
      const sentence = `${this.#name} was lost, and without INFO nobody can tell whether the same server comes back`;
      throw new Failure('UNREACHABLE', `the connection to ${sentence}`);
    }
    const redis = await retrying(async () => await this.#openToSame(), {
      ...(this.signal ? { signal: this.signal } : {}),
      maxRetryTime: LONGEST_ABSENCE_MS,
      shouldRetry: ({ error }) => isAbsence(error),
    });
    this.#redis = redis;
    if (this.#isClosed) redis.disconnect();
  }

  async #openToSame(): Promise<Redis> {
    this.#insistOnOpen();
    const redis = await connectForRun(this.address, this.signal);
    try {
      await this.#insistOnSame(redis);
      this.#insistOnOpen();
      return redis;
    } catch (error) {
      redis.disconnect();
      throw error;
    }
  }

  /**
   * After a call was not answered in time: whether the way has forgotten this connection, since the same server answers on another
   * one. Then that takes its place. A server that is silent on both stands still, and may go on where it was.
   */
  async replaceIfForgotten(): Promise<AfterSilence> {
    if (this.#identity === null) return 'answers';
    this.#replacing ??= this.#replaceIfForgotten().finally(() => {
      this.#replacing = null;
    });
    return await this.#replacing;
  }

  async #replaceIfForgotten(): Promise<AfterSilence> {
    const first = this.#redis;
    const other = await this.#openToSame().catch(() => null);
    if (other === null) return 'silent';
    const settled = new AbortController();
    const silent = pause(STILL_SILENT_MS, true, { signal: settled.signal });
    const isForgotten = await Promise.race([
      silent,
      first.time().then(
        () => false,
        () => true,
      ),
    ]).finally(() => settled.abort());
    if (isForgotten && this.#redis === first) this.#redis = other;
    (isForgotten ? first : other).disconnect();
    if (this.#isClosed) this.#redis.disconnect();
    return isForgotten ? 'replaced' : 'answers';
  }

  /** Opens a second connection to the same server, which ends with the first, and never comes back. */
  async beside(options?: BesideOptions): Promise<Redis> {
    const first = this.#redis;
    const open = async () => {
      // Nobody can have come back meanwhile at an address whose first connection still answers.
      const second = await connectBeside(first, options);
      try {
        if (this.#identity === null) await first.time();
        else await this.#insistOnSame(second);
        return second;
      } catch (error) {
        second.disconnect();
        throw error;
      }
    };
    try {
      return await retrying(open, {
        ...(this.signal ? { signal: this.signal } : {}),
        shouldRetry: ({ error }) => first.status === 'ready' && isAbsence(error),
      });
    } catch (error) {
      throw first.status === 'ready' ? error : new ConnectionLost(error);
    }
  }

  /** Closes it for good: a call that was under way opens nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#redis.disconnect();
  }

  #insistOnOpen(): void {
    if (this.#isClosed) throw new Failure('INTERRUPTED', 'the run has ended');
  }

  /** Fails (`UNREACHABLE`) where this, which was just read, is not of the server that it led to. */
  insistOn(info: Info): void {
    const identity = identityIn(info);
    const isRenamed =
      hadNoOther(info) && info.get(HEARD) === this.#heard && processOf(identity) === processOf(this.#identity);
    if (identity === this.#identity || isRenamed) {
      this.#identity = identity;
      return;
    }
    throw new AnotherServer(
      'UNREACHABLE',
      `${this.#name} is not the server any more that the run began with: what is stale must be judged anew`,
    );
  }

  async #insistOnSame(redis: Redis): Promise<void> {
    this.insistOn(infoIn(await redis.info()));
  }

  get #name(): string {
    return `Redis at ${redactUrl(this.address.url)}`;
  }
}

/** No later attempt will find the first one. */
class AnotherServer extends Failure {}

/** Redis may come back: it is not reached, or not ready to serve. */
function isAbsence(error: Error): boolean {
  return error instanceof Failure
    ? error.code === 'UNREACHABLE' && !(error instanceof AnotherServer)
    : error.name !== 'ReplyError' || isPassing(error);
}
