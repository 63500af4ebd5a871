/** client: the library's connection, but for what it would say by itself on the terminal, and do after it was given up.
 *  Promises  a command whose time ran out before it could be sent is never sent: whoever asked was told that it failed.
 *  Limits    what was sent is with Redis; and a pipeline goes out as a whole, or its replies would be taken for others'.
 */
import type { Command as AnyCommand, RedisOptions } from 'ioredis';
import { Command, Redis } from './ioredis.ts';

type Send = Redis['sendCommand'];
type Options = Omit<RedisOptions, 'replyMapping'>;

/** A password for a server that asks for none, which the library would warn of at each connection. */
const NEEDS_NO_PASSWORD = /no password is set|without any password configured for the default user/;
/** Before users had names. */
const KNOWS_NO_USERS = /wrong number of arguments for 'auth' command/;

/** For a connection over which one thing is asked: opened by hand, never again, and given up after so many ms. */
export function askedOnce(ms: number) {
  return {
    lazyConnect: true,
    connectTimeout: ms,
    commandTimeout: ms,
    enableReadyCheck: false,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectionName: 'stalesweep',
  } satisfies Options;
}

/** A connection that prints nothing; those that are made from it are of the same kind. */
export function createClient(...to: [url: string, options: Options] | [options: Options]): Redis {
  return tamed(to.length === 1 ? new Redis(to[0]) : new Redis(...to));
}

function tamed(redis: Redis): Redis {
  // Without a listener the library prints each error. Whoever uses the connection is told by the calls that fail.
  redis.on('error', () => {});
  const send = redis.sendCommand.bind(redis);
  const duplicate = redis.duplicate.bind(redis) as (options?: Partial<RedisOptions>) => Redis;
  redis.sendCommand = (command, stream) => {
    if (stream === undefined && command.isSettled) return command.promise;
    const sent = send(command, stream);
    if (command.name !== 'hello' && command.name !== 'auth') return sent;
    return (sent as Promise<unknown>).catch((error: Error) => enterWithout(send, command, error));
  };
  redis.duplicate = ((options?: Partial<RedisOptions>) => tamed(duplicate(options))) as Redis['duplicate'];
  return redis;
}

/** Goes on without a password that nobody asked for. */
async function enterWithout(send: Send, { name }: AnyCommand, error: Error): Promise<unknown> {
  if (KNOWS_NO_USERS.test(error.message)) throw new Error('it knows no users; leave the name out of the URL');
  if (!NEEDS_NO_PASSWORD.test(error.message)) throw error;
  return name === 'hello' ? await send(new Command('hello', ['3'], { replyEncoding: 'utf8' })) : 'OK';
}
