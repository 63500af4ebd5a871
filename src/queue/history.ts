/** history: past runs, as the queue keeps them. */
import type { Job, JobType, Queue } from 'bullmq';
import { isoOf } from '../domain/instant.ts';
import type { Report } from '../domain/report.ts';
import type { RunData } from './payload.ts';
import { reportIn } from './reportIn.ts';

export interface HistoryRow {
  readonly run: string;
  /** BullMQ's state: `completed`, `failed`, `active`, `waiting`, `delayed` (between two attempts). */
  readonly state: string;
  /** ISO 8601; `null` when whoever added it gave it an impossible time. */
  readonly addedAt: string | null;
  readonly attempts: number;
  readonly failedReason: string | null;
  readonly report: Report | null;
}

const STATES = ['completed', 'failed', 'active', 'waiting', 'delayed'] as const satisfies JobType[];

type RunJob = Job<RunData, unknown>;

const rowOf = (job: RunJob, state: string): HistoryRow => ({
  run: String(job.id),
  state,
  addedAt: isoOf(job.timestamp),
  attempts: job.attemptsMade,
  failedReason: job.failedReason || null,
  report: reportIn(job.returnvalue),
});

/** The newest runs first, at most `limit`. Each state is asked for no more than that, so a long history costs nothing. */
export const readHistory = async (queue: Queue<RunData>, limit: number): Promise<readonly HistoryRow[]> => {
  const byState = await Promise.all(
    STATES.map(async (state) => {
      const jobs = (await queue.getJobs([state], 0, limit - 1)) as (RunJob | undefined)[];
      return jobs.flatMap((job) => (job ? [{ job, state }] : []));
    }),
  );
  return byState
    .flat()
    .sort((a, b) => b.job.timestamp - a.job.timestamp || Number(b.job.id) - Number(a.job.id))
    .slice(0, limit)
    .map(({ job, state }) => rowOf(job, state));
};
