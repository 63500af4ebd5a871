/** history: runs as the queue keeps them; the record of all runs is the ledger's. */
import type { Job, JobType, Queue } from 'bullmq';
import { isoOf } from '../../domain/instant.ts';
import type { Report } from '../../domain/report.ts';
import { askerOf } from './asker.ts';
import type { RunData } from './payload.ts';
import { reportIn } from './reportIn.ts';
import { isBack, sealedIn } from './sealed.ts';

export interface QueuedRun {
  readonly run: string;
  /** `null` where its data do not say. */
  readonly target: string | null;
  /** Which one is meant by that name; empty where its data do not say. */
  readonly fingerprint: string;
  /** BullMQ's state: `completed`, `failed`, `active`, `waiting`, `delayed` (between two attempts). */
  readonly state: string;
  /** ISO 8601; `null` when whoever added it gave it an impossible time. */
  readonly addedAt: string | null;
  /** The same in ms, whatever it is. */
  readonly addedAtMs: number;
  /** What asked for it: `schedule`, `manual`, `cli`; `null` where its data do not say. */
  readonly trigger: string | null;
  /** The person who did; `null` where it does not say. */
  readonly by: string | null;
  readonly attempts: number;
  readonly failedReason: string | null;
  readonly report: Report | null;
}

const STATES = ['completed', 'failed', 'active', 'waiting', 'delayed'] as const satisfies JobType[];

type RunJob = Job<RunData, unknown>;

function textIn(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, 64) : null;
}

function rowOf(job: RunJob, inState: string): QueuedRun {
  const sealed = sealedIn(job.progress);
  // A finished run stays what it was, wherever its job was put since.
  const past = sealed !== null && (sealed.backAt !== null || isBack(job, sealed)) ? sealed : null;
  const failure = past !== null && 'failure' in past.end ? past.end.failure : null;
  return {
    run: String(job.id),
    target: textIn(job.data?.target),
    fingerprint: textIn(job.data?.fingerprint) ?? '',
    state: past === null ? inState : failure === null ? 'completed' : 'failed',
    addedAt: isoOf(job.timestamp),
    addedAtMs: Number(job.timestamp) || 0,
    trigger: textIn(job.data?.trigger),
    by: askerOf(job),
    attempts: past === null ? job.attemptsMade : past.attempts + 1,
    failedReason: past === null ? job.failedReason || null : failure,
    report: past === null ? reportIn(job.returnvalue) : 'report' in past.end ? past.end.report : null,
  };
}

/** A target has one that waits; others may fill the queue. */
const MOST_WAITING = 100;

/** Whether it is still to be done. */
export function waits({ state }: { readonly state: string }): boolean {
  return state === 'waiting' || state === 'delayed';
}

/**
 * The newest runs first, at most `limit` of those that began or ended, and 100 that wait, however old those are. Each state is asked
 * for no more than that, so a long history costs nothing.
 */
export async function readQueuedRuns(queue: Queue<RunData>, limit: number): Promise<readonly QueuedRun[]> {
  const byState = await Promise.all(
    STATES.map(async (state) => {
      const most = waits({ state }) ? MOST_WAITING : limit;
      const jobs = (await queue.getJobs([state], 0, most - 1)) as (RunJob | undefined)[];
      return jobs.flatMap((job) => (job ? [{ job, state }] : []));
    }),
  );
  let left = limit;
  return byState
    .flat()
    .sort((a, b) => b.job.timestamp - a.job.timestamp || Number(b.job.id) - Number(a.job.id))
    .filter((one) => waits(one) || left-- > 0)
    .map(({ job, state }) => rowOf(job, state));
}
