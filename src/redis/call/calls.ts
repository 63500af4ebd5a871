/** calls: sends commands to a target, and tells what each took; here, over one connection to one server.
 *  Owns      the way of a command and of its reply; how long it waited for others on the same connection.
 *  Leaves    how they travel to call/wire, sums to call/stopwatch, pauses to call/rest.
 */
import { giveBuffer } from './bulk.ts';
import { type Burst, BurstCommand } from './burst.ts';
import { corked } from './cork.ts';
import { ConnectionLost, isLate } from './lost.ts';
import { Rest } from './rest.ts';
import { Stopwatch } from './stopwatch.ts';
import { type Argument, encode, EncodedCommand, type Order, type Reply } from './wire.ts';
import type { Redis } from '../connection/ioredis.ts';

export interface Answer {
  readonly reply: Reply;
  /** The time until it came: Redis took no longer than that. */
  readonly ms: number;
}

/** From here on the way takes longer than most calls do. */
export const LONG_WAY_MS = 1;

const MOST_IN_BURST = 500;

/** Sends commands to a target, wherever they have to go. */
export interface Calls {
  /** What a call takes that asks for nothing, in ms: the way there and back. 0 until it was measured. */
  latencyMs: number;
  readonly rest: Rest;
  readonly stopwatch: Stopwatch;
  /** Sends one command; resolves to its reply. Rejects with the error of Redis, or with `ConnectionLost`. */
  send(name: string, args: readonly Argument[], replyEncoding?: 'latin1' | null): Promise<Answer>;
  /** Sends commands together; resolves once all are answered, to the reply of each or the error in its place. */
  sendTogether(
    orders: readonly Order[],
    beside?: Redis,
  ): Promise<{ readonly replies: readonly (Reply | Error)[]; readonly ms: number }>;
}

export class ServerCalls implements Calls {
  latencyMs = 0;
  /** So many commands a burst should hold: they take Redis a millisecond or two. */
  get mostInBurst(): number {
    return MOST_IN_BURST;
  }

  #redis: Redis;
  #lastReplyAt = 0;
  #underWay = 0;

  /** @param redis whose connection stays its owner's to close */
  constructor(
    redis: Redis,
    readonly rest: Rest = new Rest(0),
    readonly stopwatch: Stopwatch = new Stopwatch(),
  ) {
    this.#redis = redis;
  }

  /** From now on they go over another connection to the same server: the first was lost. */
  goOver(redis: Redis): void {
    this.#redis = redis;
  }

  /**
   * Sends one command; resolves to its reply. Rejects with the error of Redis, or with `ConnectionLost`. What is noted of it is
   * the time since it was sent, or since the reply before it where it had to queue behind that one; replies that a busy
   * worker reads in one go share the time they waited.
   */
  async send(name: string, args: readonly Argument[], replyEncoding: 'latin1' | null = 'latin1'): Promise<Answer> {
    return await this.#send(this.#redis, name, args, replyEncoding);
  }

  /**
   * Sends commands in one go, so that nobody else's come between them on that connection. Resolves once all are answered,
   * to the reply of each or the error in its place, and the time the slowest took, in ms.
   * @param beside another connection to the same server
   */
  async sendTogether(
    orders: readonly Order[],
    beside?: Redis,
  ): Promise<{ replies: readonly (Reply | Error)[]; ms: number }> {
    const redis = beside ?? this.#redis;
    const sent = corked(redis, () => orders.map(([name, args]) => this.#send(redis, name, args, 'latin1')));
    const results = await Promise.allSettled(sent);
    const replies = results.map((result) =>
      result.status === 'fulfilled' ? result.value.reply : (result.reason as Error),
    );
    return {
      replies,
      ms: Math.max(0, ...results.map((result) => (result.status === 'fulfilled' ? result.value.ms : 0))),
    };
  }

  /**
   * Sends commands in one go. Resolves once all are answered, to the reply of each, bulk strings as bytes, or the error of Redis in
   * its place; the burst is empty then. Rejects with `ConnectionLost`, or with the error of a call that is late, whatever of them was, or
   * will yet be, done; nobody may add to it meanwhile, nor after that.
   */
  async sendBurst(burst: Burst): Promise<readonly (Reply | Error)[]> {
    if (burst.count === 0) {
      burst.clear();
      return [];
    }
    const redis = this.#redis;
    const command = new BurstCommand(burst);
    const sentAt = performance.now();
    this.stopwatch.count += burst.count;
    try {
      const replies = await command.over(redis);
      const repliedAt = performance.now();
      // What is not answered may yet be sent: then its bytes are nobody else's to write over.
      burst.clear();
      const ms = repliedAt - Math.max(sentAt, this.#lastReplyAt);
      this.#lastReplyAt = repliedAt;
      this.rest.owe(this.#workIn(ms));
      // Redis serves others between them, so what each took is what they waited for.
      this.stopwatch.note(burst.name, ms / burst.count);
      return replies.slice(burst.unasked);
    } catch (error) {
      // It may wait there for a pass that has expired: that, and what waits behind it, ends with the connection.
      if (burst.unasked > 0 && isLate(error)) redis.disconnect();
      throw lostOr(error, redis);
    }
  }

  /** What a long way takes is no work. */
  #workIn(ms: number): number {
    return Math.max(0, ms - (this.latencyMs > LONG_WAY_MS ? this.latencyMs : 0));
  }

  async #send(redis: Redis, name: string, args: readonly Argument[], replyEncoding: 'latin1' | null): Promise<Answer> {
    const { buffer, length } = encode(name, args);
    const command = new EncodedCommand(name, buffer.subarray(0, length), replyEncoding);
    const sentAt = performance.now();
    this.stopwatch.count++;
    const share = ++this.#underWay;
    let reply: Reply;
    try {
      reply = (await redis.sendCommand(command)) as Reply;
    } catch (error) {
      throw lostOr(error, redis);
    } finally {
      this.#underWay--;
    }
    const repliedAt = performance.now();
    // Redis answers what it has read to the end; what it did not answer may yet be sent.
    giveBuffer(buffer);
    const ms = Math.max(repliedAt - Math.max(sentAt, this.#lastReplyAt), (repliedAt - sentAt) / share);
    this.#lastReplyAt = repliedAt;
    this.rest.owe(this.#workIn(ms));
    this.stopwatch.note(name, ms);
    return { reply, ms: repliedAt - sentAt };
  }
}

/** What Redis said; or, where it said nothing since the connection is gone, that. */
function lostOr(error: unknown, redis: Redis): unknown {
  const isAnswer = error instanceof Error && (error.name === 'ReplyError' || isLate(error));
  return isAnswer || redis.status === 'ready' ? error : new ConnectionLost(error);
}
