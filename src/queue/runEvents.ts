/** runEvents: what the queue tells of runs as it happens, over a connection of its own. */
import type { QueueEvents as Events } from 'bullmq';
import type { QueueConfig } from '../config/resolve.ts';
import { QueueEvents } from './bullmq.ts';
import { RUN_QUEUE } from './names.ts';
import { connectQueue, prefixOf, type QueueWatch } from './queues.ts';

export interface RunEvents {
  readonly events: Events;
  /** Ends it, and its connection, also while the queue is away. */
  close(): Promise<void>;
}

/** Listens to a queue from now on; survives outages. Fails (`UNREACHABLE`) when its Redis is not there. */
export async function listenToRuns(to: string | QueueConfig, watch: QueueWatch): Promise<RunEvents> {
  const connection = await connectQueue(to, watch, true);
  const events = new QueueEvents(RUN_QUEUE, { connection, prefix: prefixOf(to), skipVersionCheck: true });
  events.on('error', watch.onError);
  return {
    events,
    close: async () => {
      const isThere = connection.status === 'ready';
      const closed = events.close();
      // BullMQ waits for an end of which ioredis does not tell while it tries to come back.
      if (isThere) await closed;
      else closed.catch(() => {});
      connection.disconnect();
    },
  };
}
