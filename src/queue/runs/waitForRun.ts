/** waitForRun: the report of a run, once it has ended. */
import { setInterval } from 'node:timers/promises';
import type { QueueConfig } from '../../config/resolve.ts';
import { Failure, sentenceOf } from '../../domain/failure.ts';
import type { Report } from '../../domain/report.ts';
import { untilAborted } from '../../redis/connection/untilAborted.ts';
import type { Queues, QueueWatch } from '../queues.ts';
import { listenToRuns } from '../runEvents.ts';
import { reportIn } from './reportIn.ts';

/**
 * How often it is looked whether the run still exists, and goes on: anybody may remove it from the queue, and a user with few rights may
 * never hear that it has ended.
 */
const LOOK_EVERY_MS = 2_000;

/** What the run returned; fails once it has failed, or is gone, or the queue can't be asked any more. */
async function untilSeenToEnd({ runs }: Queues, run: string): Promise<unknown> {
  for await (const _ of setInterval(LOOK_EVERY_MS, undefined, { ref: false })) {
    const job = await runs.getJob(run);
    if (!job) break;
    if (job.finishedOn === undefined) continue;
    if (job.failedReason) throw new Error(job.failedReason);
    return job.returnvalue;
  }
  throw new Error('it was removed from the queue');
}

/**
 * Waits until a run has ended, however long that takes, or until `stop`, whose reason it throws. Fails (`RUN_FAILED`) when
 * the run fails, was removed, or left no report.
 */
export async function waitForRun(
  queues: Queues,
  to: string | QueueConfig,
  watch: QueueWatch,
  run: string,
  stop?: AbortSignal,
): Promise<Report> {
  const listening = await listenToRuns(to, watch);
  const { events } = listening;
  const settled = new AbortController();
  try {
    await events.waitUntilReady();
    const job = await queues.runs.getJob(run);
    if (!job) throw new Failure('RUN_FAILED', `run ${run} is no longer in the queue`);
    try {
      const ends = [job.waitUntilFinished(events), untilSeenToEnd(queues, run)];
      const report = reportIn(await Promise.race(stop ? [...ends, untilAborted(stop, settled.signal)] : ends));
      if (report !== null) return report;
    } catch (error) {
      stop?.throwIfAborted();
      throw new Failure('RUN_FAILED', `run ${run} failed: ${sentenceOf(error)}`, { cause: error });
    }
    throw new Failure(
      'RUN_FAILED',
      `run ${run} ended with a report that can't be read; another version may have done it`,
    );
  } finally {
    settled.abort();
    await listening.close();
  }
}
