/** needs: what a queue and its ledger ask of their Redis, asked for beforehand without doing anything: what a script is refused half way, or a
 *  worker at the end of a run, it would else try again for ever.
 */
import type { Redis } from '../redis/connection/ioredis.ts';
import { isKeyRefusal, isUntaken, refusedCommandIn, saidIn } from '../redis/rights/refusals.ts';
import { mayNotRun } from './refusal.ts';

/** What is no answer to whether a command may be run: what is asked is wrong on purpose, so that nothing comes of it. */
const ASKED_WRONGLY = /^WRONGTYPE\b|not an integer|wrong number of arguments/;

type Command = readonly [name: string, ...args: string[]];

/** Each as it does nothing to a key that is not there. */
function needed(key: string): readonly Command[] {
  return [
    ['EVAL', 'return 1', '0'],
    ['EVALSHA', '0'.repeat(40), '0'],
    ['TIME'],
    ...['EXISTS', 'GET', 'HGETALL', 'LLEN', 'PTTL', 'SCARD', 'SMEMBERS', 'STRLEN', 'ZCARD', 'DEL', 'UNLINK'].map(
      (name): Command => [name, key],
    ),
    ...['HEXISTS', 'HGET', 'HMGET', 'HDEL', 'SREM', 'ZSCORE', 'ZREM'].map((name): Command => [name, key, 'nobody']),
    ...['GETRANGE', 'LRANGE', 'LTRIM', 'ZRANGE', 'ZREVRANGE', 'ZRANGEBYSCORE', 'ZREVRANGEBYSCORE'].map(
      (name): Command => [name, key, '0', '0'],
    ),
    ['ZREMRANGEBYRANK', key, '0', '0'],
    ['ZLEXCOUNT', key, '-', '+'],
    ['ZREVRANGEBYLEX', key, '+', '-'],
    ['LINDEX', key, '0'],
    ['LREM', key, '0', ''],
    ['RPOPLPUSH', key, key],
    ['ZPOPMIN', key],
    ['BZPOPMIN', key, '0.001'],
    ['ZADD', key, 'XX', '0', ''],
    ['SET', key, '', 'XX'],
    ['XADD', key, 'NOMKSTREAM', '*', 'nothing', ''],
    ['XREAD', 'STREAMS', key, '0'],
    ['XTRIM', key, 'MAXLEN', '0'],
    ['HINCRBY', key, 'nobody', 'no number'],
    ['HSET', key, 'nobody', '', 'odd'],
    ['HMSET', key, 'nobody', '', 'odd'],
    // One of these is there for the others to be of the wrong type for, and goes.
    ['SADD', key, ''],
    ['INCR', key],
    ['LPUSH', key, ''],
    ['RPUSH', key, ''],
    ['UNLINK', key],
  ];
}

/**
 * Why no queue can stand in this Redis under this prefix, in a sentence: what the server takes from nobody, or not from this user; `null`
 * where nothing speaks against it. What passes is another matter. Rejects when the connection fails.
 */
export async function whyNoQueue(redis: Redis, prefix: string): Promise<string | null> {
  const key = `${prefix}:nothing`;
  const commands = needed(key);
  const pipeline = redis.pipeline();
  for (const [name, ...args] of commands) pipeline.call(name, ...args);
  const refused = new Set<string>();
  let isFenced = false;
  for (const [at, [error]] of ((await pipeline.exec()) ?? []).entries()) {
    if (error === null || ASKED_WRONGLY.test(error.message)) continue;
    if (error.name !== 'ReplyError') throw error;
    const command = refusedCommandIn(error);
    if (command !== null) refused.add(command);
    else if (isKeyRefusal(error)) isFenced = true;
    else if (isUntaken(error)) {
      const untaken = `does not take ${commands[at]?.[0]} (${saidIn(error)})`;
      return `the queue's Redis ${untaken}; a queue needs that: use a server that has it`;
    }
  }
  if (refused.size > 0) return mayNotRun([...refused]);
  return isFenced ? `the user of the queue's Redis may not touch its keys; grant it ~${prefix}:*` : null;
}
