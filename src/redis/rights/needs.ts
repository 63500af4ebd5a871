/** needs: what a queue and its ledger ask of their Redis, asked for beforehand without doing anything: what a script is refused half way, or a
 *  worker at the end of a run, it would else try again for ever.
 */
import type { Redis } from '../connection/ioredis.ts';
import { isKeyRefusal, isUntaken, mayNotRun, refusedCommandIn, saidIn } from './refusals.ts';

/** What is no answer to whether a command may be run: what is asked is wrong on purpose, so that nothing comes of it. */
const ASKED_WRONGLY = /^WRONGTYPE\b|not an integer|wrong number of arguments/;

type Command = readonly [name: string, ...args: string[]];

/** What it takes to record a run, each as it does nothing to a key that is not there. */
function neededToRecord(key: string): readonly Command[] {
  return [
    ['EVAL', 'return 1', '0'],
    ['EVALSHA', '0'.repeat(40), '0'],
    ['TIME'],
    ...['EXISTS', 'GET', 'SMEMBERS', 'STRLEN', 'ZCARD', 'UNLINK'].map((name): Command => [name, key]),
    ...['ZSCORE', 'ZREM'].map((name): Command => [name, key, 'nobody']),
    ...['GETRANGE', 'ZRANGE'].map((name): Command => [name, key, '0', '0']),
    ['ZREVRANGEBYLEX', key, '+', '-'],
    ['ZADD', key, 'XX', '0', ''],
    ['SET', key, '', 'XX'],
    // One of these is there for the others to be of the wrong type for, and goes.
    ['SADD', key, ''],
    ['UNLINK', key],
  ];
}

/** What BullMQ and all else takes besides. */
function neededBesides(key: string): readonly Command[] {
  return [
    ...['HGETALL', 'LLEN', 'MGET', 'PTTL', 'SCARD', 'DEL'].map((name): Command => [name, key]),
    ...['HEXISTS', 'HGET', 'HMGET', 'HDEL', 'SREM'].map((name): Command => [name, key, 'nobody']),
    ...['LRANGE', 'LTRIM', 'ZREVRANGE', 'ZRANGEBYSCORE', 'ZREVRANGEBYSCORE', 'ZREMRANGEBYRANK'].map(
      (name): Command => [name, key, '0', '0'],
    ),
    ['ZLEXCOUNT', key, '-', '+'],
    ['LINDEX', key, '0'],
    ['EXPIRE', key, '1'],
    // Whichever of the last two is refused, the other ends the transaction.
    ['MULTI'],
    ['DISCARD'],
    ['EXEC'],
    ['LREM', key, '0', ''],
    ['RPOPLPUSH', key, key],
    ['ZPOPMIN', key],
    ['BZPOPMIN', key, '0.001'],
    ['XADD', key, 'NOMKSTREAM', '*', 'nothing', ''],
    ['XREAD', 'STREAMS', key, '0'],
    ['XTRIM', key, 'MAXLEN', '0'],
    ['HINCRBY', key, 'nobody', 'no number'],
    ['HSET', key, 'nobody', '', 'odd'],
    ['HMSET', key, 'nobody', '', 'odd'],
    // As above.
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
  const key = keyIn(prefix);
  return await whyNot(redis, [...neededToRecord(key), ...neededBesides(key)], 'queue', prefix);
}

/** Why no run can be recorded in this Redis, as `whyNoQueue` says it. */
export async function whyNoLedger(redis: Redis, prefix: string): Promise<string | null> {
  return await whyNot(redis, neededToRecord(keyIn(prefix)), 'ledger', prefix);
}

function keyIn(prefix: string): string {
  return `${prefix}:nothing`;
}

async function whyNot(
  redis: Redis,
  commands: readonly Command[],
  what: string,
  prefix: string,
): Promise<string | null> {
  const pipeline = redis.pipeline();
  for (const [name, ...args] of commands) pipeline.call(name, ...args);
  const refused = new Set<string>();
  let isFenced = false;
  for (const [at, [error]] of ((await pipeline.exec()) ?? []).entries()) {
    // To end the transaction with which it is asked about.
    const isAside = commands[at]?.[0] === 'DISCARD';
    if (error === null || isAside || ASKED_WRONGLY.test(error.message)) continue;
    if (error.name !== 'ReplyError') throw error;
    const command = refusedCommandIn(error);
    if (command !== null) refused.add(command);
    else if (isKeyRefusal(error)) isFenced = true;
    else if (isUntaken(error)) {
      const untaken = `does not take ${commands[at]?.[0]} (${saidIn(error)})`;
      return `the queue's Redis ${untaken}; a ${what} needs that: use a server that has it`;
    }
  }
  if (refused.size > 0) return mayNotRun([...refused]);
  return isFenced ? `the user of the queue's Redis may not touch its keys; grant it ~${prefix}:*` : null;
}
