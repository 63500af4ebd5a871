/** queue: opens the queue for a command that ends when it has said what it found. */
import type { Config } from '../config/resolve.ts';
import { followClock } from '../queue/clock.ts';
import { Failure } from '../domain/failure.ts';
import { whyNoQueue } from '../redis/rights/needs.ts';
import { explainRefusal } from '../queue/refusal.ts';
import { isRefusedInScript } from '../redis/rights/refusals.ts';
import { openQueues, type Queues, type QueueWatch } from '../queue/queues.ts';

/** A command fails by its own calls; what happens between them need not be told. */
export const QUIET: QueueWatch = { onError: () => {}, onReady: () => {}, passive: true };

export async function withQueues<T>(config: Config, work: (queues: Queues) => Promise<T>): Promise<T> {
  const queues = await openQueues(config.queue, QUIET);
  try {
    await followClock(queues.connection);
    return await work(queues);
  } catch (error) {
    const why =
      error instanceof Error && isRefusedInScript(error) ? await whyNoQueue(queues.connection, queues.prefix) : null;
    throw why === null ? explainRefusal(error) : new Failure('UNREACHABLE', why, { cause: error });
  } finally {
    await queues.close();
  }
}
