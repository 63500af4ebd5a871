/** history: past runs, as the queue keeps them. */
import type { Job, JobType, Queue } from 'bullmq';
import type { Report } from '../domain/report.ts';
import type { RunData } from './payload.ts';

export interface HistoryRow {
  readonly run: string;
  /** BullMQ's state: `completed`, `failed`, `active`, `waiting`, `delayed` (between two attempts). */
  readonly state: string;
  /** ISO 8601. */
  readonly addedAt: string;
  readonly attempts: number;
  readonly failedReason: string | null;
  readonly report: Report | null;
}

const STATES = ['completed', 'failed', 'active', 'waiting', 'delayed'] as const satisfies JobType[];

type RunJob = Job<RunData, unknown>;

/** Any program, and any version, can complete a job with anything. */
const reportIn = (value: unknown): Report | null => {
  if (typeof value !== 'object' || value === null) return null;
  const { coordinators, keys } = value as Record<string, unknown>;
  return typeof coordinators === 'object' && typeof keys === 'object' && coordinators && keys
    ? (value as Report)
    : null;
};

const rowOf = (job: RunJob, state: string): HistoryRow => ({
  run: String(job.id),
  state,
  addedAt: new Date(job.timestamp).toISOString(),
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
