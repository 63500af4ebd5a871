/** job: what the queue still knows of a run: how far it is, and how it was asked for. */
import { type Progress, progressIn } from '../../queue/runs/progressIn.ts';
import { isOfJob, type PastRun } from '../../ledger/runs/pastRun.ts';
import type { Queues } from '../../queue/queues.ts';
import { isStopped } from '../../queue/runs/stop.ts';

export interface RunJob {
  readonly forced: boolean;
  /** `null` where it has told nothing yet. */
  readonly progress: Progress | null;
  /** Whether it was asked to end. */
  readonly stopping: boolean;
}

/** `null` where it is not in the queue any more, or never was. Rejects where the queue's Redis can't be read. */
export async function jobOf(queues: Queues, past: PastRun): Promise<RunJob | null> {
  const job = await queues.runs.getJob(past.run);
  if (job === undefined || !isOfJob(past, job.timestamp)) return null;
  return {
    forced: job.data?.force === true,
    progress: progressIn(job.progress),
    stopping: await isStopped(queues, past.run),
  };
}
