/** queues: the two queues, opened the same way by everyone. */
import type { Redis } from 'ioredis';
import type { Address } from '../config/tls.ts';
import { connect } from '../redis/connect.ts';
import { Queue } from './bullmq.ts';
import type { RunData } from './payload.ts';
import { PREFIX, RUN_QUEUE, SCHEDULE_QUEUE } from './names.ts';

/** What a scheduled tick carries. */
export interface TickData {
  readonly target: string;
}

export interface Queues {
  readonly connection: Redis;
  readonly runs: Queue<RunData>;
  readonly schedule: Queue<TickData>;
  close(): Promise<void>;
}

export interface QueueWatch {
  readonly onError: (error: Error) => void;
  readonly onReady: () => void;
  /** Once aborted, a lost connection is not waited for any more: it ends, and what was asked of it fails. */
  readonly leaving?: AbortSignal;
}

/** Opens a connection for BullMQ. Fails within seconds (`UNREACHABLE`) when there is no Redis at the address. */
export const connectQueue = async (to: string | Address, watch: QueueWatch, blocking = false): Promise<Redis> => {
  // BullMQ's workers wait for Redis as long as it takes; their blocking calls must neither time out nor give up.
  const options = blocking ? { maxRetriesPerRequest: null, commandTimeout: undefined } : {};
  const redis = await connect(to, { onError: watch.onError, redis: options });
  redis.on('ready', watch.onReady);
  const { retryStrategy } = redis.options;
  // BullMQ makes its second, blocking connection from these options.
  redis.options.retryStrategy = (attempt) => (watch.leaving?.aborted ? null : retryStrategy?.(attempt));
  return redis;
};

/** Opens both queues on one connection. */
export const openQueues = async (to: string | Address, watch: QueueWatch): Promise<Queues> => {
  const connection = await connectQueue(to, watch);
  const options = { connection, prefix: PREFIX };
  const runs = new Queue<RunData>(RUN_QUEUE, options);
  const schedule = new Queue<TickData>(SCHEDULE_QUEUE, options);
  for (const queue of [runs, schedule]) queue.on('error', watch.onError);
  return {
    connection,
    runs,
    schedule,
    close: async () => {
      await Promise.allSettled([runs.close(), schedule.close()]);
      connection.disconnect();
    },
  };
};
