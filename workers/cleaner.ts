/** cleaner: what a worker does with one job. The only place where the queue and the run meet. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { runCleanup } from '../src/cleanup/run.ts';
import type { Carried, Tally } from '../src/cleanup/tally.ts';
import type { Phase } from '../src/cleanup/context.ts';
import type { Config } from '../src/config/resolve.ts';
import { Failure, sentenceOf } from '../src/domain/failure.ts';
import { isoOf } from '../src/domain/instant.ts';
import type { Report } from '../src/domain/report.ts';
import type { Logger } from '../src/log/logger.ts';
import type { Metrics } from '../src/metrics/registry.ts';
import { RunSightings } from '../src/ledger/sightings/runSightings.ts';
import { Sightings, sightingsKeyOf } from '../src/ledger/sightings/sightings.ts';
import { UnrecoverableError, WaitingError } from '../src/queue/bullmq.ts';
import { PREFIX } from '../src/queue/names.ts';
import { parsePayload, type RunData, type RunPayload } from '../src/queue/payload.ts';
import { skippedReport, runInProgress } from '../src/queue/overlap.ts';
import type { Queues } from '../src/queue/queues.ts';
import { Stopwatch } from '../src/redis/call/stopwatch.ts';
import { explain } from '../src/redis/explain.ts';
import { openTarget, type Target } from '../src/redis/target/target.ts';
import { unreadableIn, Warnings } from './tell.ts';

export interface CleanerParts {
  readonly config: Config;
  readonly queues: Queues;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Aborted when the process is to end: runs in progress go back to the queue. */
  readonly stopping: AbortSignal;
  /** How long a job's lock lasts, in ms. */
  readonly lockMs: number;
}

type RunJob = Job<RunData, Report>;

/** How often progress is written to the queue, in ms. What a worker did since is not counted if it is killed. */
const PROGRESS_EVERY_MS = 50;
/**
 * How long the last word is repeated to a queue that takes no writes (full, read-only after a failover), in ms. A report
 * would else miss what this attempt removed. Not longer, since the job's lock has run out by then, or soon will.
 */
const INSIST_MS = 5_000;
const INSIST_EVERY_MS = 200;
/** The job's log gets a line per so many chunks. */
const CHUNKS_PER_LINE = 100;
const linesAfter = (chunks: number): number => Math.floor(chunks / CHUNKS_PER_LINE);

const count = z.number().nonnegative();
const CARRIED = z.object({
  startedAt: count.refine((at) => isoOf(at) !== null),
  carried: z.object({
    swept: count,
    // Older versions knew nobody without a heartbeat.
    lapsed: count.default(0),
    deletedByFamily: z.array(count),
    chunks: count,
    calls: count,
    slowestCallMs: count,
    memoryFreedBytes: count,
  }),
});

/** What earlier attempts left in the job's progress; `null` on the first. Anyone may write there, so it is checked. */
const earlierAttempts = (job: RunJob): { startedAt: number; carried: Carried } | null => {
  const result = CARRIED.safeParse(job.progress);
  return result.success ? result.data : null;
};

/** Writes a run's progress and log lines to its job, thinned out, in order, and only while the job's lock is held. */
class Journal {
  #phase: Phase = 'mark';
  #tally: Tally | undefined;
  #writtenAt = 0;
  #lines: number;
  #queue: Promise<unknown> = Promise.resolve();
  /** Whether the queue took what was written last; `true` too once the lock is lost. */
  #settled = true;

  constructor(
    private readonly job: RunJob,
    private readonly token: string,
    private readonly lockMs: number,
    private readonly stopwatch: Stopwatch,
    private readonly earlier: { readonly startedAt: number; readonly carried: Carried | null },
    private readonly onLost: () => void,
  ) {
    this.#lines = linesAfter(earlier.carried?.chunks ?? 0);
  }

  phase(phase: Phase, sentence: string): void {
    this.#phase = phase;
    this.#then(() => this.job.log(`${phase}: ${sentence}`));
    this.#write();
  }

  progress(phase: Phase, tally: Tally): void {
    this.#phase = phase;
    this.#tally = tally;
    if (linesAfter(tally.chunks) > this.#lines) {
      this.#lines = linesAfter(tally.chunks);
      this.#then(() => this.job.log(`${phase}: ${tally.swept} of ${tally.stale} coordinators, ${tally.keys} keys`));
    }
    if (performance.now() - this.#writtenAt >= PROGRESS_EVERY_MS) this.#write();
  }

  note(sentence: string): void {
    this.#then(() => this.job.log(sentence));
  }

  /** Writes what is known now, so that the next attempt goes on from it; resolves when all is written, or can't be. */
  async flush(): Promise<void> {
    for (const until = performance.now() + INSIST_MS; ; await pause(INSIST_EVERY_MS)) {
      this.#write();
      await Promise.race([this.#queue, pause(Math.max(0, until - performance.now()), undefined, { ref: false })]);
      if (this.#settled || this.#tally === undefined || performance.now() >= until) return;
    }
  }

  #write(): void {
    this.#writtenAt = performance.now();
    const tally = this.#tally;
    if (tally === undefined) return;
    const { checked, stale, swept } = tally.coordinators;
    const progress = {
      phase: this.#phase,
      percent: tally.percent,
      checked,
      stale,
      swept,
      keys: tally.keys,
      startedAt: this.earlier.startedAt,
      carried: tally.carry(this.stopwatch.count, this.stopwatch.slowestMs),
    };
    this.#then(() => this.job.updateProgress(progress));
  }

  /** A worker that has lost its lock must not write over the one that took the run over. */
  #then(write: () => Promise<unknown>): void {
    this.#queue = this.#queue
      .then(async () => {
        if ((await this.job.extendLock(this.token, this.lockMs)) === 0) this.onLost();
        else await write();
        this.#settled = true;
      })
      .catch(() => {
        this.#settled = false;
        // The queue is out of reach: BullMQ tells of it, and the run goes on, since it needs only its target.
      });
  }
}

/** However many attempts other programs give a job, and without a pause between them: a target may be down for a night. */
const MOST_ATTEMPTS = 10;

/** An error as the history shows it: one sentence, no stack. */
const forHistory = (error: unknown, attempts: number): Error => {
  const denied = error instanceof Failure && error.code !== 'UNREACHABLE' && error.code !== 'INTERRUPTED';
  const shown =
    denied || attempts >= MOST_ATTEMPTS ? new UnrecoverableError(sentenceOf(error)) : new Error(sentenceOf(error));
  shown.stack = `${shown.name}: ${shown.message}`;
  // For whoever wonders why; the queue keeps only the message.
  shown.cause = error;
  return shown;
};

/** Makes the function that a BullMQ worker calls for each job. */
export const createCleaner = (parts: CleanerParts) => {
  const { config, queues, metrics, stopping } = parts;
  const warnings = new Warnings();

  const clean = async (job: RunJob, token: string, payload: RunPayload, lost: AbortSignal): Promise<Report> => {
    const { target } = payload;
    const logger = parts.logger.child({ run: job.id, target: target.name });
    const fenced = new AbortController();
    const signal = AbortSignal.any([stopping, lost, fenced.signal]);
    const earlier = earlierAttempts(job) ?? { startedAt: Date.now(), carried: null };
    const request = {
      run: String(job.id),
      trigger: payload.trigger,
      dryRun: payload.dryRun,
      staleAfterSeconds: payload.staleAfterSeconds,
      force: payload.force,
      attempts: job.attemptsMade + 1,
      ...earlier,
    };
    const stopwatch = new Stopwatch((call, ms) => metrics.called(target.name, call, ms));
    const isNews = warnings.begin(target.name);
    const journal = new Journal(job, token, parts.lockMs, stopwatch, earlier, () => fenced.abort());
    const warn = (sentence: string) => {
      if (isNews(sentence)) logger.warn(sentence);
      journal.note(sentence);
    };
    const cleanOpened = async (opened: Target): Promise<Report> => {
      try {
        const report = await runCleanup(opened, request, {
          signal,
          sightings: new RunSightings(new Sightings(queues.connection, sightingsKeyOf(PREFIX, target)), {
            mostBytes: target.sightings,
            warn,
          }),
          observer: {
            phase: (phase, sentence) => {
              logger.debug({ phase }, sentence);
              journal.phase(phase, sentence);
            },
            progress: (phase, tally) => journal.progress(phase, tally),
            warn,
          },
        });
        const unreadable = unreadableIn(report);
        if (unreadable !== null) {
          if (isNews(unreadable.news)) logger.warn({ unreadable: report.unreadable }, unreadable.sentence);
          journal.note(unreadable.sentence);
        }
        return report;
      } finally {
        opened.close();
        await journal.flush();
      }
    };
    try {
      const report = await cleanOpened(await openTarget(target, { dryRun: payload.dryRun, signal, warn }, stopwatch));
      const { coordinators, keys, durationMs, outcome } = report;
      logger.info({ outcome, durationMs, ...coordinators, deleted: keys.deleted, dryRun: report.dryRun }, 'run ended');
      return report;
    } catch (error) {
      if (!signal.aborted || lost.aborted || fenced.signal.aborted) throw explain(error, target);
      // Back to the head of the queue at once, without burning an attempt: another worker goes on.
      logger.info('handing the run back to the queue');
      await job.moveToWait(token);
      throw new WaitingError();
    }
  };

  return async (job: RunJob, token = '', lost: AbortSignal = new AbortController().signal): Promise<Report> => {
    try {
      const payload = parsePayload(job.data, config.targets);
      const other = await runInProgress(queues.runs, job, payload.target.name);
      if (other !== null) return skippedReport(job, payload, other);
      return await clean(job, token, payload, lost);
    } catch (error) {
      if (error instanceof WaitingError) throw error;
      throw forHistory(error, job.attemptsMade + 1);
    }
  };
};
