/** connect: connections that fail fast and say why. */
import { Redis, type RedisOptions } from 'ioredis';
import { redactUrl } from '../config/redisUrl.ts';
import { Failure } from '../domain/failure.ts';

/** Below the ten seconds in which a command must have said that Redis can't be reached. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A call that takes this long has not been forgotten by Redis: it is stuck, and so is everybody else. */
const COMMAND_TIMEOUT_MS = 15_000;
/** Until the connection is ready, greeting and password included. */
const READY_TIMEOUT_MS = 7_000;
const LONGEST_PAUSE_MS = 2_000;

export interface ConnectOptions {
  /** Told of every connection error after the first success; must not throw. */
  readonly onError?: (error: Error) => void;
  /** Options of a library that needs its own. */
  readonly redis?: Omit<RedisOptions, 'replyMapping'>;
}

const reasonOf = (error: Error | undefined): string => {
  if (error === undefined) return 'the connection was closed';
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its host name is not known';
  if (code === 'ETIMEDOUT' || error.message === 'connect ETIMEDOUT') return 'no answer in time';
  if (/WRONGPASS|invalid (username-)?password/i.test(error.message)) return 'it refused the user name or password';
  if (/NOAUTH/.test(error.message)) return 'it asks for a password';
  return error.message;
};

/**
 * Opens a connection and waits until it is ready. Until then nothing is retried: a wrong address fails within five
 * seconds with `UNREACHABLE`. Afterwards lost connections come back by themselves.
 */
export const connect = async (url: string, options: ConnectOptions = {}): Promise<Redis> => {
  let ready = false;
  let lastError: Error | undefined;
  const settings: Omit<RedisOptions, 'replyMapping'> = {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectionName: 'stalesweep',
    retryStrategy: (attempt) => (ready ? Math.min(50 * 2 ** attempt, LONGEST_PAUSE_MS) : null),
    // A replica answers READONLY after a failover: the name leads to the new primary once it is looked up again.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
    ...options.redis,
  };
  const redis = new Redis(url, settings);
  redis.on('error', (error: Error) => {
    lastError = error;
    if (ready) options.onError?.(error);
  });
  try {
    // A server that accepts and then stays silent would otherwise be waited for as long as for a command.
    const silent = AbortSignal.timeout(READY_TIMEOUT_MS);
    const late = new Promise<never>((_, reject) => {
      silent.addEventListener('abort', () => reject(new Error('no answer in time')));
    });
    late.catch(() => {});
    await Promise.race([redis.connect(), late]);
    // Being connected is not being let in: a wrong password shows with the first command. A user who may not PING is in.
    await redis.ping().catch((error: Error) => {
      if (!error.message.startsWith('NOPERM')) throw error;
    });
    ready = true;
    return redis;
  } catch (error) {
    redis.disconnect();
    const reason = reasonOf(lastError ?? (error instanceof Error ? error : undefined));
    throw new Failure('UNREACHABLE', `Redis at ${redactUrl(url)} could not be reached: ${reason}`, { cause: error });
  }
};

/**
 * Opens a connection for one run. It does not outlive the server: whoever comes back may have restarted with old data, and
 * what is stale must be judged anew (P10). When it breaks, calls fail, and so does the run; the next attempt goes on.
 */
export const connectForRun = async (url: string): Promise<Redis> =>
  await connect(url, {
    redis: {
      retryStrategy: () => null,
      reconnectOnError: null,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    },
  });
