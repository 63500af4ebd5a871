/** enqueue: ask for a run. While one of the same target waits or runs, whoever asks joins it. */
import type { JobsOptions, Queue } from 'bullmq';
import { fingerprintOf } from '../config/fingerprint.ts';
import type { TargetConfig } from '../config/resolve.ts';
import { deduplicationIdOf, JOB_NAME } from './names.ts';
import { differenceOf, parsePayload, type RunData, type RunPayload } from './payload.ts';

const ATTEMPTS = 3;
/** The first retry comes after about this long, the second after twice as long; jitter keeps targets apart. */
const BACKOFF_MS = 2_000;
const JITTER = 0.5;
/** A line per phase and per so many chunks makes a few dozen; the newest are kept. */
const LOG_LINES = 500;

export interface Enqueued {
  /** The run that was added or joined. */
  readonly run: string;
  /** Whether it had been asked for before. */
  readonly joined: boolean;
  /** What the joined run does otherwise than was asked for, in words; `null` when nothing, or nobody can tell. */
  readonly difference: string | null;
}

/** How every run of a target stands in the queue: tried three times, kept as configured, one of them at a time. */
export const jobOptions = (
  { name, history }: Pick<TargetConfig, 'name' | 'history'>,
  fingerprint: string,
): JobsOptions => ({
  attempts: ATTEMPTS,
  backoff: { type: 'exponential', delay: BACKOFF_MS, jitter: JITTER },
  keepLogs: LOG_LINES,
  removeOnComplete: { age: Math.ceil(history.completed.ageMs / 1000), count: history.completed.count },
  removeOnFail: { age: Math.ceil(history.failed.ageMs / 1000), count: history.failed.count },
  deduplication: { id: deduplicationIdOf(name, fingerprint) },
});

/** Adds a run, or joins the one in progress. Fails (`JOB_DATA`) when the data is wrong. */
export const enqueue = async (
  queue: Queue<RunData>,
  targets: ReadonlyMap<string, TargetConfig>,
  data: RunData,
): Promise<Enqueued> => {
  const payload = parsePayload(data, targets);
  const { target } = payload;
  const fingerprint = fingerprintOf(target);
  const before = await queue.getDeduplicationJobId(deduplicationIdOf(target.name, fingerprint));
  const job = await queue.add(JOB_NAME, { ...data, fingerprint }, jobOptions(target, fingerprint));
  const run = String(job.id);
  const joined = before !== null && before === job.id;
  const other = joined ? await payloadOf(queue, targets, run) : null;
  return { run, joined, difference: other && differenceOf(payload, other) };
};

/** What a run in the queue was asked to do; `null` when it is gone, or its data is wrong. */
const payloadOf = async (
  queue: Queue<RunData>,
  targets: ReadonlyMap<string, TargetConfig>,
  run: string,
): Promise<RunPayload | null> => {
  const data = (await queue.getJob(run))?.data;
  try {
    return parsePayload(data, targets);
  } catch {
    return null;
  }
};
