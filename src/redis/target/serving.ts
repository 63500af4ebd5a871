/** serving: whether a server serves those who beat, which is to write; asked in ways that write nothing.
 *
 *  A full Redis answers everything but what could take memory, and one whose last save failed everything but writes: only what it
 *  takes for a write is refused as a beat is. Three ways to ask, of which the first that is taken is used, as long as the
 *  connection lasts: a script that declares nothing and so might write (from Redis 7 on); bytes put into a string that is not
 *  there, none in number, which makes nothing; or what INFO says of memory.
 *
 *  Promises  nothing is written, nobody sees a key, no replica hears of it.
 */
import { infoIn, type Info } from './clock.ts';
import { QUEUE_PREFIX } from '../../domain/ownKeys.ts';
import type { Redis } from '../connection/ioredis.ts';
import { isUntaken } from '../rights/refusals.ts';
import { answerCodeOf, isForMemory } from '../call/answerCode.ts';
import { unreadyIn } from '../connection/unready.ts';

/** No key of ours is called so. */
const NOBODYS_KEY = `${QUEUE_PREFIX}:nothing`;

type Command = readonly [string, ...string[]];

/** Ways to ask for a write, the one that is most often allowed first. */
const WRITES: readonly Command[] = [['EVAL', '#!lua\nreturn 1', '0'], ['SETRANGE', NOBODYS_KEY, '0', ''], ['INFO']];
/** What else tells that nobody can beat there: a replica says so by its role, a server that could not save to PING. */
const BESIDES: readonly Command[] = [['ROLE'], ['PING']];

/** Whether this user, or anybody, is refused this way to ask, also for the sake of the key. */
function isRefused(reply: unknown): boolean {
  return reply instanceof Error && (reply.message.startsWith('NOPERM') || isUntaken(reply));
}

/** Whether a reply says that writes are refused at the moment. */
function isOutage(reply: unknown): reply is Error {
  return reply instanceof Error && (unreadyIn(reply) !== null || isForMemory(reply));
}

const FULL = 'its memory is full (maxmemory)';
const REPLICA = 'it is a replica';

/** What an outage is for people, where Redis says it for programs. */
function whyOf(outage: Error): string {
  if (isForMemory(outage)) return FULL;
  if (answerCodeOf(outage) === 'READONLY') return REPLICA;
  const unready = unreadyIn(outage);
  return unready === null ? outage.message : `it ${unready.what}`;
}

/** Whether a server that says so much of its memory refuses what could take more. */
function isFull(info: Info): boolean {
  const bytes = (name: string) => Number(info.get(name) ?? 0);
  const most = bytes('maxmemory');
  const used = bytes('used_memory') - bytes('mem_not_counted_for_evict');
  return most > 0 && used > most && info.get('maxmemory_policy') === 'noeviction';
}

function isReplica(role: unknown): boolean {
  return Array.isArray(role) && String(role[0]) !== 'master';
}

/** Asks one connection again and again. */
export class Serving {
  /** What this server, or this user's rights, leave to be asked. */
  #writes = [...WRITES];
  #besides = [...BESIDES];
  #why: string | null = null;

  constructor(private readonly redis: Redis) {}

  /** Why it took no writes when it was asked last; `null` when it did. */
  get why(): string | null {
    return this.#why;
  }

  /** The server's clock, in ms, when it takes writes; `null` when it does not. Rejects when the connection fails. */
  async ask(): Promise<number | null> {
    for (;;) {
      const [write] = this.#writes;
      const asked = [...(write === undefined ? [] : [write]), ...this.#besides];
      const pipeline = this.redis.pipeline().time();
      for (const [name, ...args] of asked) pipeline.call(name, ...args);
      const [time, ...replies] = ((await pipeline.exec()) ?? []).map(([error, reply]) => error ?? reply);
      if (!Array.isArray(time)) return this.#refuse(time instanceof Error ? whyOf(time) : 'it does not tell the time');
      const outage = replies.find(isOutage);
      if (outage !== undefined) return this.#refuse(whyOf(outage));
      const refused = asked.filter((_, i) => isRefused(replies[i]));
      this.#besides = this.#besides.filter((one) => !refused.includes(one));
      const replyTo = (name: string): unknown => replies[asked.findIndex(([one]) => one === name)];
      if (isReplica(replyTo('ROLE'))) return this.#refuse(REPLICA);
      if (write !== undefined && refused.includes(write)) {
        this.#writes.shift();
        continue;
      }
      const info = replyTo('INFO');
      if (typeof info === 'string' && isFull(infoIn(info))) return this.#refuse(FULL);
      this.#why = null;
      const [seconds, micros] = time as [string, string];
      return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    }
  }

  #refuse(why: string): null {
    this.#why = why.replace(/\.$/, '');
    return null;
  }
}
