/** enqueue: ask for a run. While one of the same target waits or runs, whoever asks joins it. */
import type { Job, JobsOptions, Queue } from 'bullmq';
import { Redis } from '../../redis/connection/ioredis.ts';
import { fingerprintOf } from '../../config/fingerprint.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { outliving } from '../../redis/removal/replicated.ts';
import { deduplicationIdOf, JOB_NAME } from '../names.ts';
import { askedBy } from './asker.ts';
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
  /** Whether a real run was asked for and a dry one joined: nothing will be removed. */
  readonly onlyDry: boolean;
}

type Kept = TargetConfig['history'];

function jobOptions(history: Kept, deduplicationId: string): JobsOptions {
  return {
    attempts: ATTEMPTS,
    backoff: { type: 'exponential', delay: BACKOFF_MS, jitter: JITTER },
    keepLogs: LOG_LINES,
    removeOnComplete: { age: Math.ceil(history.completed.ageMs / 1000), count: history.completed.count },
    removeOnFail: { age: Math.ceil(history.failed.ageMs / 1000), count: history.failed.count },
    deduplication: { id: deduplicationId },
  };
}

/** A run in the queue. */
interface Asked {
  readonly run: string;
  /** What the run was asked for that was there before; `null` when this one was added. */
  readonly before: RunData | null;
}

/**
 * Adds a run as it stands, or joins the one of the same name and fingerprint. Another deployment may have a run under the
 * usual id; then this one has its own.
 */
export async function addRun(
  queue: Queue<RunData>,
  data: RunData & { readonly fingerprint: string },
  history: Kept,
  by: string | null = null,
): Promise<Asked> {
  const own = deduplicationIdOf(data.target, data.fingerprint);
  const hasOwn = (await queue.getDeduplicationJobId(own)) !== null;
  for (const id of hasOwn ? [own] : [data.target, own]) {
    const before = await queue.getDeduplicationJobId(id);
    const job = await queue.add(JOB_NAME, data, askedBy(jobOptions(history, id), by));
    const run = String(job.id);
    const there = (await queue.getJob(run)) as Job<RunData> | undefined;
    // Somebody else may have asked between the look and the addition.
    const joined = before === job.id || (there !== undefined && there.timestamp !== job.timestamp);
    const asked = there?.data ?? data;
    const isSame = (asked.fingerprint ?? data.fingerprint) === data.fingerprint;
    if (isSame || id === own) return { run, before: joined ? asked : null };
  }
  throw new Error('a run is either added or joined');
}

/**
 * Adds a run, or joins the one in progress. Fails (`JOB_DATA`) when the data is wrong.
 * @param by the person who asks, as the ledger is to name them; `null` where nobody knows, or nobody does
 */
export async function enqueue(
  queue: Queue<RunData>,
  targets: ReadonlyMap<string, TargetConfig>,
  data: RunData,
  by: string | null = null,
): Promise<Enqueued> {
  const payload = parsePayload(data, targets);
  const { target } = payload;
  // Who only observes asks for nothing else, whoever takes the run.
  const wanted = { ...data, ...(payload.dryRun ? { dryRun: true } : {}), fingerprint: fingerprintOf(target) };
  let first: Asked | null = null;
  const ask = async (): Promise<Asked> => {
    const asked = await addRun(queue, wanted, target.history, by);
    // Asked twice, it finds itself.
    if (asked.run !== first?.run) first = asked;
    return first;
  };
  // Other programs open it their own way.
  const { connection } = queue.opts;
  const { run, before } = connection instanceof Redis ? await outliving(connection, ask) : await ask();
  if (before?.trigger === 'schedule' && payload.trigger !== 'schedule') await wantAll(queue, run, payload.trigger);
  const other = before && readable(before, targets);
  return {
    run,
    joined: before !== null,
    difference: other && differenceOf(payload, other),
    onlyDry: !payload.dryRun && other?.dryRun === true,
  };
}

/** Whoever joins a scheduled run that waits wants it to look at everybody. One that has begun goes on as it is, and its report says how. */
async function wantAll(queue: Queue<RunData>, run: string, trigger: RunPayload['trigger']): Promise<void> {
  const job = (await queue.getJob(run)) as Job<RunData> | undefined;
  if (job !== undefined && !(await job.isActive())) await job.updateData({ ...job.data, trigger }).catch(() => {});
}

/** What a run in the queue was asked to do; `null` when its data is wrong. */
function readable(data: unknown, targets: ReadonlyMap<string, TargetConfig>): RunPayload | null {
  try {
    return parsePayload(data, targets);
  } catch {
    return null;
  }
}
