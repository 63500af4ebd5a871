/** stop: asking a run to end after its chunk. What it removed stands in its report, and it is not retried. */
import type { Job } from 'bullmq';
import { fingerprintOf } from '../../config/fingerprint.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { Failure } from '../../domain/failure.ts';
import { outliving } from '../../redis/removal/replicated.ts';
import type { RunData } from './payload.ts';
import type { Queues } from '../queues.ts';

/** Longer than any run waits for its next attempt. */
const REMEMBERED_SECONDS = 24 * 3_600;
const ENDED: readonly string[] = ['completed', 'failed', 'unknown'];

function keyOf({ prefix }: Queues, run: string): string {
  return `${prefix}:stop:${run}`;
}

/** Whether a run was asked to end. */
export async function isStopped(queues: Queues, run: string): Promise<boolean> {
  return (await queues.connection.exists(keyOf(queues, run))) > 0;
}

/** Asks a run to end; one that waits ends as soon as it begins. Fails (`RUN_FAILED`) when it has ended, or never was. */
export async function stopRun(queues: Queues, run: string): Promise<void> {
  if (ENDED.includes(await queues.runs.getJobState(run))) {
    throw new Failure('RUN_FAILED', `there is no run ${JSON.stringify(run.slice(0, 64))} that has not ended`);
  }
  const { connection } = queues;
  await outliving(connection, () => connection.set(keyOf(queues, run), Date.now(), 'EX', REMEMBERED_SECONDS));
}

/** The run of a target that is in progress, or between two attempts; `null` when there is none. */
export async function runOf({ runs }: Queues, target: TargetConfig): Promise<string | null> {
  const jobs = (await runs.getJobs(['active', 'delayed'])) as (Job<RunData> | undefined)[];
  const fingerprint = fingerprintOf(target);
  const own = jobs.find(
    (job) => job?.data?.target === target.name && (job.data.fingerprint ?? fingerprint) === fingerprint,
  );
  return own?.id ?? null;
}
