/** under way: the run of each target that is in progress, or about to be. */
import { type Progress, progressIn } from '../queue/runs/progressIn.ts';
import type { Job } from 'bullmq';
import { fingerprintOf, samePlace } from '../config/fingerprint.ts';
import type { TargetConfig } from '../config/resolve.ts';
import type { PastRun } from '../ledger/runs/pastRun.ts';
import type { RunData } from '../queue/runs/payload.ts';
import type { Queues } from '../queue/queues.ts';
import { isStopped } from '../queue/runs/stop.ts';

export interface RunUnderWay {
  readonly run: string;
  /** `active`; `waiting` for a worker; `delayed` until the next attempt. */
  readonly state: 'active' | 'waiting' | 'delayed';
  readonly dryRun: boolean;
  /** In ms; `null` until it began. */
  readonly startedAtMs: number | null;
  /** `null` where it does not say: it has only begun, or belongs to the command line. */
  readonly progress: Progress | null;
  /** What it has removed so far, where that is all it says. */
  readonly swept: number;
  readonly deleted: number;
  /** Whether it was asked to end. */
  readonly stopping: boolean;
  /** Whether it is one of the queue's, which can be stopped. */
  readonly queued: boolean;
}

/** No queue of ours holds more than a few for each target; others may fill it. */
const MOST_JOBS = 200;
const STATES = ['active', 'waiting', 'delayed'] as const;

type RunJob = Job<RunData>;

/**
 * By target. An active one comes before one that waits.
 * @param open the runs that stand open in the ledger: those of the command line are no jobs
 */
export async function runsUnderWay(
  queues: Queues,
  targets: ReadonlyMap<string, TargetConfig>,
  open: readonly PastRun[],
): Promise<ReadonlyMap<string, RunUnderWay>> {
  const found = new Map<string, RunUnderWay>();
  const jobs = await Promise.all(
    STATES.map(async (state) => (await queues.runs.getJobs([state], 0, MOST_JOBS - 1)) as (RunJob | undefined)[]),
  );
  for (const [i, state] of STATES.entries()) {
    for (const job of jobs[i] ?? []) {
      const target = targets.get(String(job?.data?.target));
      if (!job?.id || target === undefined || found.has(target.name) || !isFor(job, target)) continue;
      found.set(target.name, await ofJob(queues, job, state));
    }
  }
  for (const run of open) {
    if (run.trigger !== 'cli' || run.state !== 'active' || found.has(run.target) || !targets.has(run.target)) continue;
    const { run: id, dryRun, startedAtMs, removed } = run;
    const more = { state: 'active', progress: null, stopping: false, queued: false } as const;
    found.set(run.target, { run: id, dryRun, startedAtMs, ...removed, ...more });
  }
  return found;
}

/** Another deployment on this queue may mean another Redis by that name. */
function isFor({ data }: RunJob, target: TargetConfig): boolean {
  return typeof data.fingerprint !== 'string' || samePlace(data.fingerprint, fingerprintOf(target));
}

async function ofJob(queues: Queues, job: RunJob, state: RunUnderWay['state']): Promise<RunUnderWay> {
  const run = String(job.id);
  const progress = progressIn(job.progress);
  return {
    run,
    state,
    dryRun: job.data.dryRun === true,
    startedAtMs: job.processedOn ?? null,
    progress,
    swept: progress?.swept ?? 0,
    deleted: progress?.keys ?? 0,
    stopping: await isStopped(queues, run),
    queued: true,
  };
}
