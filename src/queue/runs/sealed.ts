/** sealed: how a run ended, kept in its job's progress, where BullMQ leaves it alone. A finished job can be put back into the
 * queue by anybody, and loses its return value then; a finished run stays what it was. */
import type { Job } from 'bullmq';
import * as v from 'valibot';
import type { Report } from '../../domain/report.ts';
import type { RunData } from './payload.ts';
import { reportIn } from './reportIn.ts';

const count = v.pipe(v.number(), v.finite(), v.minValue(0));
const PROGRESS = v.looseObject({
  sealed: v.object({
    attempts: count,
    stalled: count,
    report: v.optional(v.unknown()),
    failure: v.optional(v.string()),
    backAt: v.optional(count),
  }),
});

/** How a run ended: with a report, or with the sentence that says why it failed. */
export type End = { readonly report: Report } | { readonly failure: string };

/** A run's end, and when. */
export interface Sealed {
  readonly end: End;
  /** Attempts that had failed before. */
  readonly attempts: number;
  /** How many workers had died under it. */
  readonly stalled: number;
  /** When it was first seen to have come back, in epoch ms by the queue's Redis; `null` when it never did. */
  readonly backAt: number | null;
}

/** A job's progress, whatever stands there, as something to add to. */
function fieldsOf(progress: unknown): Readonly<Record<string, unknown>> {
  return typeof progress === 'object' && progress !== null ? { ...progress } : {};
}

/** The end in a job's progress; `null` when it has not ended, or nothing can be read there. */
export function sealedIn(progress: unknown): Sealed | null {
  const result = v.safeParse(PROGRESS, progress);
  if (!result.success) return null;
  const { attempts, stalled, failure, backAt = null, report: written } = result.output.sealed;
  const report = reportIn(written);
  const end = report !== null ? { report } : failure === undefined ? null : { failure };
  return end && { end, attempts, stalled, backAt };
}

/** Progress that says how a run ended, for people in its first words. */
export function sealedProgress(job: Pick<Job<RunData>, 'progress' | 'attemptsMade' | 'stalledCounter'>, end: End) {
  return {
    ...fieldsOf(job.progress),
    ...('report' in end ? toldOf(end.report) : { outcome: 'failed', reason: end.failure }),
    sealed: { attempts: job.attemptsMade, stalled: job.stalledCounter, ...end },
  };
}

function toldOf({ outcome, reason, dryRun, pass = 'full' }: Report) {
  return {
    outcome: dryRun ? `${outcome} (dry run)` : outcome,
    ...(pass === 'full' || outcome === 'skipped' ? {} : { pass }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** The same progress, once its job was seen to have come back. */
export function backProgress(progress: unknown, at: number) {
  const fields = fieldsOf(progress);
  return { ...fields, sealed: { ...fieldsOf(fields.sealed), backAt: at } };
}

/** Whether a job whose run had ended was put back into the queue. Else its worker died between the run's end and the job's. */
export function isBack(
  { attemptsMade, stalledCounter }: Pick<Job, 'attemptsMade' | 'stalledCounter'>,
  { attempts, stalled }: Sealed,
): boolean {
  return attemptsMade !== attempts || stalledCounter <= stalled;
}
