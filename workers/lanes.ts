/** lanes: a run begins once its target answers, or is known not to. Until then it takes no place from the runs of other targets:
 * eight that are silent, with a concurrency of two, would else leave none for the one that lives. */
import type { TargetConfig } from '../src/config/resolve.ts';
import { DelayedError } from '../src/queue/bullmq.ts';
import { parsePayload } from '../src/queue/runs/payload.ts';
import { sealedIn } from '../src/queue/runs/sealed.ts';
import { LOOK_AGAIN_MS } from '../src/queue/whose.ts';
import { closeAhead, openAhead } from '../src/redis/target/opening.ts';
import type { RunJob } from './job/journal.ts';

/** Longer than most ways need, TLS included. Who needs longer comes to its run a second later. */
const WAIT_MS = 500;

type Targets = ReadonlyMap<string, TargetConfig>;

/** The target to which a run will go; `null` when its data is wrong, or it is another's, or has ended before. */
function destinationOf(job: RunJob, targets: Targets): TargetConfig | null {
  if (sealedIn(job.progress) !== null) return null;
  try {
    return parsePayload(job.data, targets).target;
  } catch {
    return null;
  }
}

/** Resolves when a run may begin. Else puts it back for a second, without burning an attempt, and throws `DelayedError`. */
export async function enterLane(job: RunJob, token: string, targets: Targets): Promise<void> {
  const target = destinationOf(job, targets);
  if (target === null || (await openAhead(target, WAIT_MS))) return;
  await job.moveToDelayed(Date.now() + LOOK_AGAIN_MS, token);
  throw new DelayedError();
}

/** Lets go all connections that were opened for runs which have not begun. */
export function leaveLanes(targets: Targets): void {
  for (const target of targets.values()) closeAhead(target);
}
