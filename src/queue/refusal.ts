/** refusal: why the queue's Redis takes no writes, or not what a queue needs, in a sentence with the way out. */
import { Failure } from '../domain/failure.ts';
import type { Redis } from '../redis/connection/ioredis.ts';
import { isUntaken, saidIn } from '../redis/rights/refusals.ts';

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/\bREADONLY\b/, 'it is a replica, which takes no writes; point QUEUE_REDIS_URL at the primary'],
  [/\bOOM\b/, 'it is full (maxmemory); free memory there, or give it more'],
  [/^(?:MOVED|ASK)\b/, 'the slot of the queue is going from node to node of the cluster; try again once it stays'],
];

/** What to tell of an error of the queue's Redis; the error itself where Redis' own words say as much. */
export function explainRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const reason = REASONS.find(([pattern]) => pattern.test(error.message))?.[1];
  if (reason === undefined && isUntaken(error))
    return new Failure('UNREACHABLE', `the queue's Redis says: ${saidIn(error)}`, { cause: error });
  return reason === undefined
    ? error
    : new Failure('UNREACHABLE', `the queue's Redis refuses: ${reason}`, { cause: error });
}

/** What BullMQ can't do without, and some servers take from nobody; each as it is asked for without doing anything. */
function needed(prefix: string): readonly (readonly [name: string, ...args: string[]])[] {
  const nothing = `${prefix}:nothing`;
  return [
    ['EVAL', 'return 1', '0'],
    ['BZPOPMIN', nothing, '0.001'],
    ['XADD', nothing, 'NOMKSTREAM', '*', 'nothing', ''],
    ['XREAD', 'STREAMS', nothing, '0'],
  ];
}

/**
 * Why no queue can stand in this Redis, as it says itself; `null` where nothing speaks against it. What a user may not do is another matter, and
 * so is what passes. Rejects when the connection fails.
 */
export async function untakenByQueue(redis: Redis, prefix: string): Promise<string | null> {
  for (const [name, ...args] of needed(prefix)) {
    try {
      await redis.call(name, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ReplyError')) throw error;
      if (isUntaken(error))
        return `does not take ${name} (${saidIn(error)}); a queue needs that: use a server that has it`;
    }
  }
  return null;
}
