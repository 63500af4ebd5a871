/** processor: what a BullMQ worker of one's own calls for each job of a queue of one's own. */
import type { Phase } from '../domain/phase.ts';
import { parsePayload } from '../queue/runs/payload.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';
import type { Report } from '../domain/report.ts';
import { insistOnKinds, optionsOf } from './arguments.ts';
import { resolve, type TargetOptions } from './options.ts';
import { type Progress, runOnce, type SweepOptions } from './sweep.ts';

/** As much of a BullMQ job as is used. */
export interface ProcessorJob {
  readonly data: unknown;
  updateProgress(progress: string | boolean | number | object): Promise<void>;
  log(line: string): Promise<unknown>;
}

/** What of a job's data counts. Everything may be left out; anything else fails the job at once, without retries. */
export interface ProcessorData {
  /** Must be the processor's own target. */
  readonly target?: string;
  readonly dryRun?: boolean;
  /** Instead of the processor's; never below its `minStaleAfter`. */
  readonly staleAfter?: string;
  readonly force?: boolean;
}

export interface ProcessorOptions extends TargetOptions, Pick<SweepOptions, 'onWarning' | 'onCoordinator'> {}

/** Progress is written no more often, in ms. */
const PROGRESS_EVERY_MS = 250;

/** No later attempt can succeed after these. */
const FINAL = new Set(['USAGE', 'CONFIG', 'DENIED', 'JOB_DATA']);

/**
 * Makes the function for `new Worker(queue, …)`: each job is one run, its return value the report. The job's progress and log tell how it
 * goes; a lost lock or `worker.cancelJob` ends it after the chunk in progress, and the next attempt goes on from what is left. For a queue
 * of one's own: the queue of `stalesweep worker` has schedules, takeover and one run a target at a time, which this has not.
 * Fails (`CONFIG`) at once when the options are wrong.
 */
export function createProcessor(
  options: ProcessorOptions,
): (job: ProcessorJob, token?: string, signal?: AbortSignal) => Promise<Report> {
  const { onWarning, onCoordinator, ...settings } = optionsOf(options, 'createProcessor');
  insistOnKinds({ onWarning, onCoordinator });
  const { target } = resolve(settings);
  const targets = new Map([[target.name, target]]);
  // BullMQ hands a signal to those alone who declare it as the third of plain parameters.
  return async (job, _token, signal) => {
    const told = new Telling(job);
    try {
      const { data } = job;
      const asked = parsePayload({ target: target.name, ...(data as object | null) }, targets);
      const wishes: SweepOptions = {
        ...settings,
        staleAfter: `${asked.staleAfterSeconds}s`,
        force: asked.force,
        ...(signal === undefined ? {} : { signal }),
        onProgress: (progress) => told.progress(progress),
        onWarning: (sentence) => {
          told.log(sentence);
          onWarning?.(sentence);
        },
        ...(onCoordinator === undefined ? {} : { onCoordinator }),
      };
      const onPhase = (phase: Phase, sentence: string) => told.log(`${phase}: ${sentence}`);
      const report = await runOnce(wishes, { dryRun: asked.dryRun, onPhase });
      if (report.outcome === 'interrupted') throw new Failure('INTERRUPTED', 'the run was interrupted');
      return report;
    } catch (error) {
      throw forBullmq(error);
    } finally {
      await told.settled;
    }
  };
}

/** Writes to a job, in order. Where the queue can't take it, BullMQ tells of that. */
class Telling {
  settled: Promise<unknown> = Promise.resolve();
  #at = Number.NEGATIVE_INFINITY;

  constructor(private readonly job: ProcessorJob) {}

  log(line: string): void {
    this.#then(async () => await this.job.log(line));
  }

  progress(progress: Progress): void {
    if (performance.now() - this.#at < PROGRESS_EVERY_MS) return;
    this.#at = performance.now();
    this.#then(async () => await this.job.updateProgress(progress));
  }

  #then(write: () => Promise<unknown>): void {
    this.settled = this.settled.then(write).catch(() => {});
  }
}

/** BullMQ knows by this name what is worth no retry, whichever copy of it asks. */
function forBullmq(error: unknown): unknown {
  if (!(error instanceof Failure && FINAL.has(error.code))) return error;
  const final = new Error(sentenceOf(error), { cause: error });
  final.name = 'UnrecoverableError';
  return final;
}
