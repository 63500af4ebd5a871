/** queues: the two queues, opened the same way by everyone. */
import type { Redis } from 'ioredis';
import type { QueueConfig } from '../config/resolve.ts';
import { QUEUE_PREFIX } from '../domain/ownKeys.ts';
import { connect } from '../redis/connection/connect.ts';
import { queueTracing } from '../telemetry/tracing.ts';
import { Queue } from './bullmq.ts';
import type { RunData } from './runs/payload.ts';
import { RUN_QUEUE, SCHEDULE_QUEUE } from './names.ts';

/** What a scheduled tick carries. */
export interface TickData {
  readonly target: string;
  /** Which Redis is meant by that name; missing in ticks of older versions. */
  readonly fingerprint?: string | undefined;
}

export interface Queues {
  readonly connection: Redis;
  /** What all keys begin with. */
  readonly prefix: string;
  readonly runs: Queue<RunData>;
  readonly schedule: Queue<TickData>;
  close(): Promise<void>;
}

export interface QueueWatch {
  readonly onError: (error: Error) => void;
  readonly onReady: () => void;
  /** Once aborted, a lost connection is not waited for any more: it ends, and what was asked of it fails. */
  readonly leaving?: AbortSignal;
  /** For whoever only looks, or adds a job: nothing is written by opening alone, and a server that takes no writes is opened. */
  readonly passive?: boolean;
}

/** A server that stands still does not answer the end of a connection: how long that is waited for, in ms. */
const FAREWELL_MS = 300;

/** Opens a connection for BullMQ. Fails within seconds (`UNREACHABLE`) when there is no Redis at the address. */
export async function connectQueue(to: string | QueueConfig, watch: QueueWatch, blocking = false): Promise<Redis> {
  // BullMQ's workers wait for Redis as long as it takes; their blocking calls must neither time out nor give up.
  const options = blocking ? { maxRetriesPerRequest: null, commandTimeout: undefined } : {};
  const redis = await connect(to, {
    onError: watch.onError,
    prefix: prefixOf(to),
    toRead: watch.passive === true,
    redis: { ...options, disconnectTimeout: FAREWELL_MS },
  });
  redis.on('ready', watch.onReady);
  const { retryStrategy, sentinelRetryStrategy } = redis.options;
  // BullMQ makes its second, blocking connection from these options.
  redis.options.retryStrategy = (attempt) => (watch.leaving?.aborted ? null : retryStrategy?.(attempt));
  redis.options.sentinelRetryStrategy = (attempt) => (watch.leaving?.aborted ? null : sentinelRetryStrategy?.(attempt));
  return redis;
}

/** What the keys of a queue begin with; of one that is named by its URL alone, the usual. */
export function prefixOf(to: string | QueueConfig): string {
  return typeof to === 'string' ? QUEUE_PREFIX : to.prefix;
}

/** Opens both queues on one connection. */
export async function openQueues(to: string | QueueConfig, watch: QueueWatch): Promise<Queues> {
  const connection = await connectQueue(to, watch);
  const prefix = prefixOf(to);
  // BullMQ would tell the terminal what it thinks of the server's version and eviction policy: that is for doctor to say.
  const options = { connection, prefix, skipMetasUpdate: watch.passive === true, skipVersionCheck: true };
  // Not the ticks: each makes the next, and all of them would be one trace without end.
  const runs = new Queue<RunData>(RUN_QUEUE, { ...options, ...queueTracing() });
  const schedule = new Queue<TickData>(SCHEDULE_QUEUE, options);
  for (const queue of [runs, schedule]) queue.on('error', watch.onError);
  return {
    connection,
    prefix,
    runs,
    schedule,
    close: async () => {
      await Promise.allSettled([runs.close(), schedule.close()]);
      connection.disconnect();
    },
  };
}
