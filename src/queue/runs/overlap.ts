/** overlap: at most one run a target at a time. Deduplication sees to it; this is for what slips through, such as jobs
 * that other programs add. */
import type { Job, Queue } from 'bullmq';
import { fingerprintOf, samePlace } from '../../config/fingerprint.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import type { Report } from '../../domain/report.ts';
import { deduplicationIdOf } from '../names.ts';
import type { RunData, RunPayload } from './payload.ts';

type RunJob = Job<RunData, Report>;

/** Of two runs at once the one that started first goes on; else the one that others join, else the older one. */
function comesFirst(a: RunJob, b: RunJob, joined: string | null): boolean {
  const byStart = (a.processedOn ?? 0) - (b.processedOn ?? 0);
  if (byStart !== 0) return byStart < 0;
  if (a.id === joined || b.id === joined) return a.id === joined;
  return Number(a.id) < Number(b.id);
}

/** Another run that is in progress on the same Redis and comes first. */
export interface InProgress {
  readonly run: string;
  /** Whether it goes by the same schema, and so does all that this one would. */
  readonly doesSame: boolean;
}

/** The one of the same target that this one has to give way to; `null` when it may go on. */
export async function runInProgress(
  queue: Queue<RunData>,
  job: RunJob,
  target: TargetConfig,
): Promise<InProgress | null> {
  const fingerprint = fingerprintOf(target);
  const isSame = (data: RunData | undefined): boolean =>
    data?.target === target.name && samePlace(data.fingerprint ?? fingerprint, fingerprint);
  const active = (await queue.getActive()) as (RunJob | undefined)[];
  const others = active.filter((other): other is RunJob => isSame(other?.data) && other?.id !== job.id);
  if (others.length === 0) return null;
  const joined =
    (await queue.getDeduplicationJobId(deduplicationIdOf(target.name, fingerprint))) ??
    (await queue.getDeduplicationJobId(target.name));
  const doesSame = ({ data }: RunJob) => (data.fingerprint ?? fingerprint) === fingerprint;
  // Those of another schema have another one that is joined.
  const first = others.find((other) => comesFirst(other, job, doesSame(other) ? joined : null));
  return first === undefined ? null : { run: String(first.id), doesSame: doesSame(first) };
}

/** The report of a run that found another in progress: nothing was looked at. */
export function skippedReport(job: RunJob, payload: RunPayload, other: string): Report {
  const at = new Date(Date.now()).toISOString();
  const { target, dryRun, trigger, staleAfterSeconds } = payload;
  return {
    run: String(job.id),
    target: target.name,
    trigger,
    dryRun,
    outcome: 'skipped',
    pass: 'none',
    reason: `run ${other} of target "${target.name}" is in progress`,
    startedAt: at,
    finishedAt: at,
    durationMs: 0,
    staleAfterSeconds,
    coordinators: {
      checked: 0,
      active: 0,
      stale: 0,
      unreadable: 0,
      held: 0,
      protected: 0,
      lapsed: 0,
      swept: 0,
      revived: 0,
    },
    silence: [],
    keys: {
      found: 0,
      deleted: 0,
      orphans: null,
      kept: 0,
      byFamily: Object.fromEntries(target.schema.families.map((f) => [f, 0])),
    },
    redis: { calls: 0, slowestCallMs: 0, memoryFreedBytes: 0 },
    chunks: 0,
    strategy: 'script',
    attempts: job.attemptsMade + 1,
    unreadable: [],
  };
}
