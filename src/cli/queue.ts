/** queue: opens the queue for a command that ends when it has said what it found. */
import type { Config } from '../config/resolve.ts';
import { followClock } from '../queue/clock.ts';
import { explainRefusal } from '../queue/refusal.ts';
import { openQueues, type Queues, type QueueWatch } from '../queue/queues.ts';

/** A command fails by its own calls; what happens between them need not be told. */
export const QUIET: QueueWatch = { onError: () => {}, onReady: () => {}, passive: true };

export async function withQueues<T>(config: Config, work: (queues: Queues) => Promise<T>): Promise<T> {
  const queues = await openQueues(config.queue, QUIET);
  try {
    await followClock(queues.connection);
    return await work(queues);
  } catch (error) {
    throw explainRefusal(error);
  } finally {
    await queues.close();
  }
}
