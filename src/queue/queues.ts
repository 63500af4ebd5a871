/** queues: the two queues, opened the same way by everyone. */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { connect } from '../redis/connect.ts';
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
}

/** Opens a connection for BullMQ. Fails within seconds (`UNREACHABLE`) when there is no Redis at the URL. */
export const connectQueue = async (url: string, watch: QueueWatch, blocking = false): Promise<Redis> => {
  // BullMQ's workers wait for Redis as long as it takes; their blocking calls must neither time out nor give up.
  const options = blocking ? { maxRetriesPerRequest: null, commandTimeout: undefined } : {};
  const redis = await connect(url, { onError: watch.onError, redis: options });
  redis.on('ready', watch.onReady);
  return redis;
};

/** Opens both queues on one connection. */
export const openQueues = async (url: string, watch: QueueWatch): Promise<Queues> => {
  const connection = await connectQueue(url, watch);
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
