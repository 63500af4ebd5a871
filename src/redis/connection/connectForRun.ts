/** connect for run: the connections of one run, which never come back by themselves. */
import type { RedisOptions } from 'ioredis';
import type { Address } from '../../config/values/tls.ts';
import { Failure } from '../../domain/failure.ts';
import type { Info } from '../target/clock.ts';
import { connect, insistOnDatabase } from './connect.ts';
import type { Redis } from './ioredis.ts';
import { reasonOf } from './unreached.ts';

/** A server that stands still does not answer the end of a connection either; until then a call under way there would not fail. */
const FAREWELL_MS = 100;

const infos = new WeakMap<Redis, Info>();

/** What INFO said as a connection for a run was opened; nothing, where it said nothing. */
export function infoAtOpening(redis: Redis): Info {
  return infos.get(redis) ?? new Map();
}

/**
 * Opens a connection for one run; of a cluster, to the first of the named nodes that answers. It never comes back by itself:
 * whoever answers then may have restarted with old data (P10). When it breaks, its calls fail; `Link` sees to what follows.
 */
export async function connectForRun(to: Address, signal?: AbortSignal): Promise<Redis> {
  let info: Info = new Map();
  const redis = await connect(to, {
    signal,
    toRead: true,
    toPart: true,
    onInfo: (told) => {
      info = told;
    },
    redis: {
      // A call that was not answered in time is tried again: a Redis that stood still goes on where it was.
      socketTimeout: undefined,
      retryStrategy: () => null,
      reconnectOnError: null,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      disconnectTimeout: FAREWELL_MS,
      ...(to.isCopy ? { readOnly: true } : {}),
    },
  });
  infos.set(redis, info);
  return redis;
}

/** What a second connection may do otherwise than the first. */
export type BesideOptions = Pick<RedisOptions, 'protocol'>;

/** Opens a second connection to where `first` leads, as it was opened. It ends with the first, and never comes back. */
export async function connectBeside(first: Redis, options: BesideOptions = {}): Promise<Redis> {
  const second = first.duplicate(options);
  const end = () => second.disconnect();
  first.once('end', end);
  second.once('end', () => first.off('end', end));
  try {
    await second.connect();
    await insistOnDatabase(second, 'the target');
    if (first.status === 'ready') return second;
    throw new Error('the connection was closed');
  } catch (error) {
    second.disconnect();
    if (error instanceof Failure) throw error;
    const reason = reasonOf(error instanceof Error ? error : undefined, first.options.tls !== undefined);
    throw new Failure('UNREACHABLE', `Redis takes no second connection, which a run by transaction needs: ${reason}`, {
      cause: error,
    });
  }
}
