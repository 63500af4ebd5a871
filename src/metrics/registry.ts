/** metrics: what Prometheus can ask for. Run-level metrics are counted from reports, call durations as they happen. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Report } from '../domain/report.ts';
import { standingOf } from '../domain/standing.ts';

/** From a run of nothing to one of a million coordinators. */
const RUN_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];
/** Around the default call budget of 2 ms, up to what other clients would notice. */
const CALL_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.02, 0.05, 0.1, 0.5, 1, 5];

const STATES = ['active', 'stale', 'unreadable', 'held', 'protected', 'lapsed', 'swept', 'revived'] as const;

/** Gauges of prom-client that are called as counters are; by kind, the same stands in `nodejs_active_resources` and the like. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Whether its counts are of everybody; reports of older versions do not say. */
function isFull({ pass = 'full' }: Report): boolean {
  return pass === 'full';
}

export class Metrics {
  readonly registry = new Registry();
  readonly #runs = this.#counter('runs_total', 'Runs that ended, by outcome.', ['target', 'outcome']);
  readonly #runSeconds = this.#histogram(
    'run_duration_seconds',
    'How long full passes took, with what followed from them.',
    ['target'],
    RUN_SECONDS,
  );
  readonly #coordinators = this.#counter(
    'coordinators_total',
    'Coordinators that runs found, by state; the lapsed, the swept and the revived are among the stale.',
    ['target', 'state'],
  );
  readonly #now = this.#gauge(
    'coordinators',
    'Coordinators as of the last full pass, by state; active ones at risk count as at_risk alone.',
    ['target', 'state'],
  );
  readonly #keysDeleted = this.#counter('keys_deleted_total', 'Keys that runs deleted, by family.', [
    'target',
    'family',
  ]);
  readonly #unreadable = this.#gauge('unreadable_heartbeats', 'Heartbeats the last full pass could not judge.', [
    'target',
  ]);
  readonly #memoryFreed = this.#counter('memory_freed_bytes_total', 'Memory that runs freed.', ['target']);
  readonly #callSeconds = this.#histogram(
    'redis_call_duration_seconds',
    'How long calls to the target took, as this process saw it.',
    ['target', 'call'],
    CALL_SECONDS,
  );
  readonly #lastSuccess = this.#gauge(
    'last_success_timestamp_seconds',
    'When the last completed run ended; dry ones count where the schedule makes them, as `mode: observe` does.',
    ['target'],
  );
  readonly #usedMemory = this.#gauge('redis_used_memory_bytes', "The target's memory when it was last asked.", [
    'target',
  ]);
  readonly #targetUp = this.#gauge('target_up', 'Whether the target answered when it was last asked: 1, or 0.', [
    'target',
  ]);
  readonly #jobs = this.#gauge('queue_jobs', 'Jobs in the queue, by state.', ['queue', 'state']);

  readonly #paused = this.#gauge('queue_paused', 'Whether a queue is paused: 1, or 0.', ['queue']);
  readonly #limited = this.#gauge('queue_limited', 'Whether a queue has a limit that somebody set: 1, or 0.', [
    'queue',
  ]);
  readonly #queueUp = this.#gauge(
    'queue_up',
    "Whether the queue's Redis took writes when it was last asked: 1, or 0.",
    [],
  );
  readonly #workers = this.#gauge('workers', 'Processes that take runs from the queue.', []);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    // Else they were 0 wherever nobody asks, as at a worker's own /metrics.
    for (const gauge of [this.#workers, this.#queueUp]) gauge.remove({});
  }

  /** Makes a target's counters start at 0, so that `increase()` sees the first event of each kind. */
  expect(target: string, families: readonly string[]): void {
    for (const outcome of ['completed', 'refused', 'skipped', 'stopped', 'failed'])
      this.#runs.inc({ target, outcome }, 0);
    for (const state of STATES) this.#coordinators.inc({ target, state }, 0);
    for (const family of families) this.#keysDeleted.inc({ target, family }, 0);
    this.#memoryFreed.inc({ target }, 0);
    this.#runSeconds.zero({ target });
  }

  /** Counts a run that returned a report. */
  reported(report: Report): void {
    const { target, coordinators, outcome } = report;
    this.#runs.inc({ target, outcome });
    if (outcome === 'skipped') return;
    // Those that need no look take a moment, and are most: they would hide how long the others take.
    if (isFull(report)) this.#runSeconds.observe({ target }, report.durationMs / 1000);
    for (const state of STATES) {
      this.#coordinators.inc({ target, state }, coordinators[state] ?? 0);
    }
    if (!report.dryRun) {
      for (const [family, count] of Object.entries(report.keys.byFamily)) {
        this.#keysDeleted.inc({ target, family }, outcome === 'refused' ? 0 : count);
      }
    }
    this.#memoryFreed.inc({ target }, report.redis.memoryFreedBytes);
    this.lastKnown(report);
  }

  /** Takes from a past report only what tells the present state: counters must not be counted twice. */
  lastKnown(report: Report): void {
    const { target, outcome, dryRun, trigger, coordinators, finishedAt } = report;
    if (outcome === 'skipped') return;
    // Whoever only observes has no other runs, and they do all that they are to.
    const didItsWork = !dryRun || trigger === 'schedule';
    if (outcome === 'completed' && didItsWork) this.#lastSuccess.set({ target }, Date.parse(finishedAt) / 1000);
    if (!isFull(report)) return;
    this.#unreadable.set({ target }, coordinators.unreadable);
    const { active, atRisk, stale, unreadable, held, protected: spared } = standingOf(report);
    // Each counts in one state: so they add up to all that there are.
    const left = { active: active - atRisk, at_risk: atRisk, stale, unreadable, held, protected: spared };
    for (const [state, count] of Object.entries(left)) this.#now.set({ target, state }, count);
  }

  /** Counts a run that failed for good. */
  failed(target: string): void {
    this.#runs.inc({ target, outcome: 'failed' });
  }

  called(target: string, call: string, ms: number): void {
    this.#callSeconds.observe({ target, call }, ms / 1000);
  }

  /** Whether a target answered just now. */
  targetUp(target: string, isUp: boolean): void {
    this.#targetUp.set({ target }, isUp ? 1 : 0);
  }

  /** `null` when the target did not answer: an old number would look like a new one. */
  usedMemory(target: string, bytes: number | null): void {
    if (bytes === null) this.#usedMemory.remove({ target });
    else this.#usedMemory.set({ target }, bytes);
  }

  /** Forgets all that is known of the queues: for when they could not be asked. */
  forgetQueues(): void {
    for (const gauge of [this.#jobs, this.#paused, this.#limited]) gauge.reset();
    this.#workers.remove({});
    this.#queueUp.set({}, 0);
  }

  /** What keeps runs from coming, and how many processes take them. */
  queueState({
    refuses,
    paused,
    limits,
    atOnce,
    workers,
  }: {
    readonly refuses: string | null;
    readonly paused: Readonly<Record<string, boolean>>;
    readonly limits: Readonly<Record<string, unknown>>;
    readonly atOnce: Readonly<Record<string, unknown>>;
    readonly workers: number;
  }): void {
    for (const [queue, isPaused] of Object.entries(paused)) {
      this.#paused.set({ queue }, isPaused ? 1 : 0);
      this.#limited.set({ queue }, queue in limits || queue in atOnce ? 1 : 0);
    }
    this.#queueUp.set({}, refuses === null ? 1 : 0);
    this.#workers.set({}, workers);
  }

  queueDepths(queue: string, counts: Readonly<Record<string, number>>): void {
    for (const [state, count] of Object.entries(counts)) this.#jobs.set({ queue, state }, count);
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `stalesweep_${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name: `stalesweep_${name}`, help, labelNames, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name: `stalesweep_${name}`, help, labelNames, buckets, registers: [this.registry] });
  }
}
