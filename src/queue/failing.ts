/** failing: which targets' runs fail at present. It stands in the queue's Redis, for all workers together: while a target
 * is down each of its runs fails, and that is worth two lines in all logs, not one a run. */
import type { Queues } from './queues.ts';

/** Who fails for longer is named again: by then the first line may have been rotated away. */
const TOLD_AGAIN_SECONDS = 7 * 24 * 3600;

function keyOf({ prefix }: Queues, target: string): string {
  return `${prefix}:failing:${target}`;
}

/** Whether this failure is the first since a run of the target last succeeded. */
export async function beginsToFail(queues: Queues, target: string): Promise<boolean> {
  return (await queues.connection.set(keyOf(queues, target), Date.now(), 'EX', TOLD_AGAIN_SECONDS, 'NX')) !== null;
}

/** Since when the runs of a target fail, in epoch ms; `null` when the last one did not. */
export async function failingSince(queues: Queues, target: string): Promise<number | null> {
  const at = await queues.connection.get(keyOf(queues, target));
  return at === null ? null : Number(at);
}

/** Whether this success is the first since runs of the target began to fail, and for how long they did, in ms. */
export async function worksAgain(queues: Queues, target: string): Promise<number | null> {
  const since = await failingSince(queues, target);
  // Of several workers that see it at once, one removes it.
  return since !== null && (await queues.connection.del(keyOf(queues, target))) > 0 ? Date.now() - since : null;
}
