/** put off: runs that somebody moved to a far time. All who ask for one of the same target would join it, and none would come. */
import type { TargetConfig } from '../../config/resolve.ts';
import { fingerprintOf } from '../../config/fingerprint.ts';
import { deduplicationIdOf } from '../names.ts';
import type { Queues } from '../queues.ts';

/** The pause between two attempts is far shorter. */
const LONGEST_PAUSE_MS = 60_000;
/** How BullMQ makes a score of an instant: room for so many jobs in one millisecond. */
export const SCORES_PER_MS = 0x1000;

/** Lets runs that others join begin now when they are due in more than a minute; resolves to them. */
export async function bringForward(
  { runs, connection }: Queues,
  targets: ReadonlyMap<string, TargetConfig>,
): Promise<readonly string[]> {
  const forward: string[] = [];
  for (const target of targets.values()) {
    for (const id of [target.name, deduplicationIdOf(target.name, fingerprintOf(target))]) {
      const run = await runs.getDeduplicationJobId(id);
      if (run === null) continue;
      const score = await connection.zscore(runs.toKey('delayed'), run);
      if (score === null || Number(score) / SCORES_PER_MS <= Date.now() + LONGEST_PAUSE_MS) continue;
      await (await runs.getJob(run))?.changeDelay(0);
      forward.push(run);
    }
  }
  return forward;
}
