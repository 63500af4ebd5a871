/** journal: a run's progress and log lines on its job, and what an earlier attempt left there. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Job } from 'bullmq';
import * as v from 'valibot';
import type { Phase } from '../../src/cleanup/context.ts';
import type { Carried, Tally } from '../../src/cleanup/tally/tally.ts';
import { isoOf } from '../../src/domain/instant.ts';
import type { Report } from '../../src/domain/report.ts';
import { Thinned } from '../../src/ledger/recording/thinned.ts';
import type { RunData } from '../../src/queue/runs/payload.ts';
import type { Stopwatch } from '../../src/redis/call/stopwatch.ts';

/** A job of the queue of runs, as a worker holds it. */
export type RunJob = Job<RunData, Report>;

/** How often progress is written to the queue, in ms. What a worker did since is not counted if it is killed. */
const PROGRESS_EVERY_MS = 50;
/**
 * How long the last word is repeated to a queue that takes no writes (full, read-only after a failover), in ms. A report
 * would else miss what this attempt removed. Not longer, since the job's lock has run out by then, or soon will.
 */
const INSIST_MS = 5_000;
const INSIST_EVERY_MS = 200;
/** A queue that does not answer for so long, in ms, is waited for before more is removed: across a far way an answer takes a few tenths. */
const LATE_MS = 1_000;
/** The job's log gets a line per so many chunks. */
const CHUNKS_PER_LINE = 100;
function linesAfter(chunks: number): number {
  return Math.floor(chunks / CHUNKS_PER_LINE);
}

const count = v.pipe(v.number(), v.finite(), v.minValue(0));
const CARRIED = v.object({
  startedAt: v.pipe(
    count,
    v.check((at) => isoOf(at) !== null),
  ),
  carried: v.object({
    swept: count,
    // Older versions knew nobody without a heartbeat.
    lapsed: v.optional(count, 0),
    deletedByFamily: v.array(count),
    chunks: count,
    calls: count,
    slowestCallMs: count,
    memoryFreedBytes: count,
    // Older versions had no trash.
    trashed: v.optional(count, 0),
  }),
});

/** What earlier attempts left in the job's progress; `null` on the first. Anyone may write there, so it is checked. */
export function earlierAttempts(job: RunJob): { startedAt: number; carried: Carried } | null {
  const result = v.safeParse(CARRIED, job.progress);
  return result.success ? result.output : null;
}

/** Writes a run's progress and log lines to its job, thinned out, in order, and only while the job's lock is held. */
export class Journal {
  #phase: Phase = 'mark';
  #tally: Tally | undefined;
  #lines: number;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #progress = new Thinned(async () => {
    this.#write();
    await this.#queue;
  }, PROGRESS_EVERY_MS);
  /** Whether the queue took what was written last; `true` too once the lock is lost. */
  #settled = true;
  /** How much the queue has not answered yet, and since when it owes the next answer. */
  #owed = 0;
  #owedSince = Number.POSITIVE_INFINITY;

  constructor(
    private readonly job: RunJob,
    private readonly token: string,
    private readonly lockMs: number,
    private readonly stopwatch: Stopwatch,
    /** How long the run's end is worth repeating to the queue, in ms; asked again after each try. */
    private readonly insistMs: () => number,
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
    this.#progress.tell();
  }

  note(sentence: string): void {
    this.#then(() => this.job.log(sentence));
  }

  /**
   * Resolves once the queue knows how much was removed, or `until` is aborted; `null`: it knows, but for the last second. Whoever goes
   * on with a run that was lost with a queue that was full, or frozen, counts from there.
   */
  caughtUp(until: AbortSignal): Promise<void> | null {
    return this.#phase !== 'mark' && this.#isBehind() ? this.#catchUp(until) : null;
  }

  #isBehind(): boolean {
    return !this.#settled || performance.now() - this.#owedSince > LATE_MS;
  }

  async #catchUp(until: AbortSignal): Promise<void> {
    while (this.#isBehind() && !until.aborted) {
      if (this.#owed === 0) this.#write();
      await pause(INSIST_EVERY_MS, undefined, { signal: until }).catch(() => {});
    }
  }

  /** Writes what is known now, so that the next attempt goes on from it; resolves when all is written, or can't be. */
  async flush(): Promise<void> {
    this.#progress.stop();
    const begunAt = performance.now();
    const leftMs = () => begunAt + Math.min(INSIST_MS, this.insistMs()) - performance.now();
    for (; ; await pause(INSIST_EVERY_MS)) {
      this.#write();
      await Promise.race([this.#queue, pause(Math.max(0, leftMs()), undefined, { ref: false })]);
      if (this.#settled || this.#tally === undefined || leftMs() <= 0) return;
    }
  }

  #write(): void {
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
    if (this.#owed++ === 0) this.#owedSince = performance.now();
    this.#queue = this.#queue
      .then(async () => {
        if ((await this.job.extendLock(this.token, this.lockMs)) === 0) this.onLost();
        else await write();
        this.#settled = true;
      })
      .catch(() => {
        this.#settled = false;
        // The queue is out of reach: BullMQ tells of it.
      })
      .then(() => {
        this.#owedSince = --this.#owed === 0 ? Number.POSITIVE_INFINITY : performance.now();
      });
  }
}
