/** waitForRun: the report of a run, once it has ended. */
import { setTimeout as pause } from 'node:timers/promises';
import type { QueueEvents as Events } from 'bullmq';
import type { QueueConfig } from '../../config/resolve.ts';
import { Failure, sentenceOf } from '../../domain/failure.ts';
import type { Report } from '../../domain/report.ts';
import { isElsewhere } from '../../redis/call/answerCode.ts';
import { isPassing } from '../../redis/connection/unready.ts';
import { untilAborted } from '../../redis/connection/untilAborted.ts';
import type { Queues, QueueWatch } from '../queues.ts';
import { explainRefusal } from '../refusal.ts';
import { listenToRuns } from '../runEvents.ts';
import { reportIn } from './reportIn.ts';

/**
 * How often it is looked whether the run still exists, and goes on: anybody may remove it from the queue, and a user with few rights may
 * never hear that it has ended.
 */
const LOOK_EVERY_MS = 2_000;

/** What the run returned; fails once it has failed, or is gone, or the queue can't be asked any more. */
async function untilSeenToEnd({ runs }: Queues, run: string): Promise<unknown> {
  for (;;) {
    // While its slot goes from node to node nothing is known of it.
    const job = await runs.getJob(run).catch((error: unknown) => {
      if (isElsewhere(error) || isPassing(error)) return null;
      throw error;
    });
    if (job === undefined) throw failed(run, 'it was removed from the queue');
    if (job?.finishedOn !== undefined) {
      if (job.failedReason) throw failed(run, job.failedReason);
      return job.returnvalue;
    }
    await pause(LOOK_EVERY_MS, undefined, { ref: false });
  }
}

/** The same as it is told of at once. The library's own way leaves what its first look fails with to nobody, which ends the process. */
async function untilTold(events: Events, run: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    events.on('completed', ({ jobId, returnvalue }) => {
      if (jobId === run) resolve(returnvalue);
    });
    events.on('failed', ({ jobId, failedReason }) => {
      if (jobId === run) reject(failed(run, failedReason));
    });
  });
}

function failed(run: string, why: string): Failure {
  return new Failure('RUN_FAILED', `run ${run} failed: ${why}`);
}

/**
 * Waits until a run has ended, however long that takes, or until `stop`, whose reason it throws. Fails (`RUN_FAILED`) when
 * the run fails, was removed, or left no report; `UNREACHABLE` where the queue can't be asked any more.
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
    try {
      const ends = [untilTold(events, run), untilSeenToEnd(queues, run)];
      const report = reportIn(await Promise.race(stop ? [...ends, untilAborted(stop, settled.signal)] : ends));
      if (report !== null) return report;
    } catch (error) {
      stop?.throwIfAborted();
      const why = explainRefusal(error);
      if (why instanceof Failure) throw why;
      throw new Failure('UNREACHABLE', `how run ${run} ends can not be told: ${sentenceOf(error)}`, { cause: error });
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
