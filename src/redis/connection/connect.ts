/** connect: connections that fail fast and say why. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisOptions } from 'ioredis';
import { deploymentOf } from '../../config/values/deployment.ts';
import { redactUrl, unixSocketIn } from '../../config/values/redisUrl.ts';
import type { Address } from '../../config/values/tls.ts';
import { Failure } from '../../domain/failure.ts';
import { createClient } from './client.ts';
import { seedsOf } from '../cluster/nodes/address.ts';
import type { Info } from '../target/clock.ts';
import { HoldsPart, insistOnWhole } from './cluster.ts';
import { Following } from './following.ts';
import { type Redis, streamOf } from './ioredis.ts';
import { tellingOfLate } from './late.ts';
import { insistOnPrimary, sentinelOptions } from './sentinel.ts';
import { lastWords } from './overheard.ts';
import { failureOf, isEncrypted, LATE } from './unreached.ts';
import { untilAborted } from './untilAborted.ts';

/** Below the ten seconds in which a command must have said that Redis can't be reached. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A call that takes this long has not been forgotten by Redis: it is stuck, and so is everybody else. */
const COMMAND_TIMEOUT_MS = 15_000;
/**
 * A connection that owes an answer and says nothing for this long leads nowhere: the way to Redis may forget it without a
 * word, and then nobody ends it. Longer than BullMQ's blocking calls, which are answered after ten seconds.
 */
const SILENCE_TIMEOUT_MS = 15_000;
/** Until the connection is ready, greeting and password included. */
const READY_TIMEOUT_MS = 7_000;
const LONGEST_PAUSE_MS = 2_000;
export interface ConnectOptions {
  /** Told of every connection error after the first success; must not throw. */
  readonly onError?: (error: Error) => void;
  /** Ends the attempt at once, with the signal's reason, however long a connection takes. */
  readonly signal?: AbortSignal | undefined;
  /** Whether a server will do that takes no writes, and for that reason no PING. */
  readonly toRead?: boolean;
  /** Told all that INFO says of the server; of one that does not say, nothing. */
  readonly onInfo?: (info: Info) => void;
  /** Whether a node of a cluster will do, which holds only a part of the keys. */
  readonly toPart?: boolean;
  /**
   * What all keys begin with that will be asked for: of a cluster, the node that serves them is meant, whichever that is at the
   * time. Left out: they may lie anywhere.
   */
  readonly prefix?: string;
  /** Options of a library that needs its own. */
  readonly redis?: Omit<RedisOptions, 'replyMapping'>;
}

/** Throws when the database of the URL was not selected: ioredis would go on in database 0, which is another one's. */
export async function insistOnDatabase(redis: Redis, where: string): Promise<void> {
  const { db = 0 } = redis.options;
  if (db === 0) return;
  try {
    await redis.select(db);
  } catch (error) {
    const { message } = error as Error;
    if (!/^(NOPERM|ERR)/.test(message)) throw error;
    const sentence = message.startsWith('NOPERM')
      ? `the user of ${where} may not run SELECT; grant it +select`
      : `${where} has no database ${db}: ${message}`;
    throw new Failure('DENIED', sentence, { cause: error });
  }
}

/**
 * Opens a connection and waits until it is ready. Until then nothing is retried: a wrong address fails within five
 * seconds with `UNREACHABLE`, one whose database can't be used, or that is a node of a cluster, with `DENIED`. Afterwards lost
 * connections come back by themselves. Of a cluster, to the node that serves keys with this prefix, or, where a part will do, to
 * the first of the named nodes that answers. A URL alone stands for an address without certificates of its own.
 */
export async function connect(to: string | Address, options: ConnectOptions = {}): Promise<Redis> {
  const address: Address = typeof to === 'string' ? { url: to } : to;
  const kind = deploymentOf(address.url)?.kind;
  const { prefix, toPart, signal } = options;
  if (kind === 'cluster' && prefix !== undefined) return await connectTo(address, options, prefix);
  if (kind !== 'single' && kind !== 'sentinel' && !(kind === 'cluster' && toPart)) {
    const where = redactUrl(address.url);
    throw new Failure('DENIED', `Redis at ${where} is more than one server, which can not be used here yet`);
  }
  const failures: unknown[] = [];
  for (const seed of seedsOf(address)) {
    try {
      return await connectTo(seed, options);
    } catch (error) {
      signal?.throwIfAborted();
      const isNode = error instanceof HoldsPart && kind === 'single' && unixSocketIn(address.url) === null;
      if (isNode && prefix !== undefined) return await connectTo(address, options, prefix);
      failures.push(error);
    }
  }
  // What keeps one out most likely keeps all out.
  throw failures[0];
}

/** @param within what keys begin with in the slot of a cluster whose node is meant; left out: the server at the address is */
async function connectTo(address: Address, options: ConnectOptions, within?: string): Promise<Redis> {
  return await tellingOfLate(redactUrl(address.url), attemptTo(address, options, within));
}

async function attemptTo(address: Address, options: ConnectOptions, within?: string): Promise<Redis> {
  const { url, tls } = address;
  const deployment = deploymentOf(url);
  let ready = false;
  let lastError: Error | undefined;
  const following = new Following(within !== undefined, () => streamOf(redis));
  const settings: Omit<RedisOptions, 'replyMapping'> = {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    connectionName: 'stalesweep',
    retryStrategy: (attempt) =>
      ready ? Math.min(50 * 2 ** Math.max(attempt, following.count), LONGEST_PAUSE_MS) : null,
    reconnectOnError: (error) => (following.follows(error) ? 2 : false),
    // Said here too, since the library takes "REDISS://" for an address without encryption.
    ...(isEncrypted(url) ? { tls: tls ?? {} } : {}),
    ...options.redis,
    // A server that is not ready says more to a command than to the library's look at INFO, which waits without a word.
    enableReadyCheck: false,
  };
  const lasts = () => ready && options.redis?.retryStrategy === undefined;
  const named =
    within === undefined
      ? (unixSocketIn(url) ?? sentinelOptions(address, lasts))
      : await slotOptionsOf(address, within, lasts);
  const redis = named === null ? createClient(url, settings) : createClient({ ...settings, ...named });
  let saidSentinel: Error | undefined;
  redis.on('sentinelError', (error: Error) => {
    saidSentinel = error;
  });
  redis.on('error', (error: Error) => {
    lastError = error;
    if (ready) options.onError?.(error);
  });
  let said: string | null = null;
  redis.once('connect', () => {
    saidSentinel = undefined;
    // The library closes, or complains of its parser, before anybody is told.
    streamOf(redis)?.once('data', (bytes) => {
      said = lastWords(String(bytes));
    });
  });
  const enter = async (): Promise<Info> => {
    await redis.connect();
    // Asked at once with what follows.
    const whole = insistOnWhole(redis, `Redis at ${redactUrl(url)}`, {
      all: options.onInfo !== undefined || deployment?.kind === 'sentinel' || within !== undefined,
      toPart: options.toPart === true || within !== undefined,
    });
    whole.catch(() => {});
    // Being connected is not being let in: a wrong password shows with the first command. A user who may not PING is in.
    await redis.ping().catch((error: Error) => {
      const isIn =
        error.message.startsWith('NOPERM') || (options.toRead === true && error.message.startsWith('MISCONF'));
      if (!isIn) throw error;
    });
    const info = await whole;
    if (deployment?.kind === 'sentinel') insistOnPrimary(info, `Redis at ${redactUrl(url)}`, 'its sentinels are');
    // Who is not told by INFO is told by MOVED.
    else if (within !== undefined && info.has('role')) {
      insistOnPrimary(info, `Redis at ${redactUrl(url)}`, 'its cluster is');
    }
    options.onInfo?.(info);
    await insistOnDatabase(redis, redactUrl(url));
    return info;
  };
  const settled = new AbortController();
  try {
    // A server that accepts and then stays silent would otherwise be waited for as long as for a command.
    const late = pause(READY_TIMEOUT_MS, undefined, { signal: settled.signal }).then(() => {
      throw new Error(LATE);
    });
    const ends = [late, ...(options.signal ? [untilAborted(options.signal, settled.signal)] : [])];
    const info = await Promise.race([enter(), ...ends]);
    ready = true;
    // A connection to a server that is silent on INFO would never be ready again, nor would one opened beside it.
    redis.options.enableReadyCheck = options.redis?.enableReadyCheck ?? info.size > 0;
    return redis;
  } catch (error) {
    // On a connection that has ended already it would wait two seconds for the end.
    if (redis.status !== 'end') redis.disconnect();
    // A server that stands still does not answer the end of a connection either, and nothing was asked of it yet.
    streamOf(redis)?.destroy();
    options.signal?.throwIfAborted();
    if (error instanceof Failure) throw error;
    throw await failureOf(redis, address, { error, lastError, saidSentinel, said });
  } finally {
    settled.abort();
  }
}

/** Loaded by those alone who need it: most have one server. */
async function slotOptionsOf(address: Address, prefix: string, lasts: () => boolean) {
  const { slotOptions } = await import('../cluster/calls/slotConnector.ts');
  return slotOptions(address, insistOnTag(prefix), lasts);
}

/** Throws where keys with this prefix would lie all over a cluster; else returns it. */
function insistOnTag(prefix: string): string {
  if (/\{[^}]+\}/.test(prefix)) return prefix;
  const sentence = `queue.prefix "${prefix}" has no braces, without which a cluster spreads its keys over all nodes; write "{${prefix}}"`;
  throw new Failure('DENIED', sentence);
}
