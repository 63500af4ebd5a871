/** run: one cleanup of one target, from top to bottom.
 *      mark ──▶ gather ──▶ sweep ──▶ report
 *  Owns      the order of the phases, the guards between them, and the report.
 *  Promises  P1–P11; it may end anywhere, by failure or by signal, and the next run finds what is left (P3).
 */
import type { TargetConfig } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import type { Outcome, Report, Trigger } from '../domain/report.ts';
import type { Calls } from '../redis/calls.ts';
import { clockOf, type Info, keyspaceSizeOf, readInfo, readSeconds, usedMemoryBytesOf } from '../redis/clock.ts';
import { newPaces, type Observer, type RunContext } from './context.ts';
import { gather } from './gather.ts';
import { mark } from './mark.ts';
import { type Carried, Tally } from './tally.ts';
import { sweepCoordinators, sweepGathered, sweepShared } from './sweep.ts';
import { sweepOrphanKeys } from './sweepOrphans.ts';

export interface RunRequest {
  /** The run's id, as the report names it. */
  readonly run: string;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  readonly staleAfterSeconds: number;
  /** Sweep even when more than `maxStaleFraction` looks stale. */
  readonly force: boolean;
  readonly attempts: number;
  /** What earlier attempts of this run removed. */
  readonly carried: Carried | null;
  /** When the first attempt started, in ms since the epoch. */
  readonly startedAt: number;
}

export interface RunOptions {
  readonly observer?: Observer;
  /** Aborting it ends the run after the chunk in progress, with a Failure `INTERRUPTED`. */
  readonly signal?: AbortSignal;
  /** How much the keys held between mark and sweep may take. @default 256 MiB */
  readonly memoryBudgetBytes?: number;
}

/** The rest of the process needs about as much again. */
const MEMORY_BUDGET_BYTES = 256 * 1024 * 1024;

/** A second call is on its way while Redis works on the first, unless the run is to rest between them. */
const lanesFor = (nice: number): number => (nice > 0 ? 1 : 2);

const readTargetInfo = async (
  calls: Calls,
  target: TargetConfig,
  dryRun: boolean,
  observer: Observer,
): Promise<Info> => {
  try {
    return await readInfo(calls);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw error;
    const what = `target "${target.name}": without INFO nobody can tell whether Redis came back with old data (P10)`;
    if (target.restartGrace && !dryRun) {
      throw new Failure('DENIED', `${what}; grant the user +info, or set restartGrace: false`, { cause: error });
    }
    observer.warn?.(`${what}; grant the user +info`);
    return new Map([
      ['rdb_last_load_keys_loaded', '0'],
      ['aof_enabled', '0'],
    ]);
  }
};

/** Why the run must not go on: more looks stale than an operator holds possible. */
const refusal = (run: RunContext, target: TargetConfig, force: boolean): string | null => {
  const { stale, active, unreadable } = run.tally;
  const checked = stale + active + unreadable;
  // A quotient, since 0.29 * 100 is less than 29.
  if (force || checked === 0 || stale / checked <= target.maxStaleFraction) return null;
  const share = `${stale} of ${checked} coordinators look stale, more than maxStaleFraction ${target.maxStaleFraction} allows`;
  return `${share}; check the clock and the heartbeat writers, or send the run again with "force": true`;
};

/** Cleans one target once. Throws a `Failure` `INTERRUPTED` when the signal ends it early. */
export const runCleanup = async (
  calls: Calls,
  target: TargetConfig,
  request: RunRequest,
  { observer = {}, signal = new AbortController().signal, memoryBudgetBytes = MEMORY_BUDGET_BYTES }: RunOptions = {},
): Promise<Report> => {
  const { schema } = target;
  const { dryRun, staleAfterSeconds, carried } = request;
  const before = await readTargetInfo(calls, target, dryRun, observer);
  const clock = clockOf(await readSeconds(calls), before, target.restartGrace);
  const tally = new Tally(schema.families.length, dryRun ? null : carried);
  tally.keyspace = keyspaceSizeOf(before);
  const run: RunContext = {
    calls,
    schema,
    clock,
    staleAfterSeconds,
    dryRun,
    memoryBudgetBytes,
    tally,
    observer,
    signal,
    paces: newPaces(target.callBudget),
    lanes: lanesFor(target.nice),
  };
  if (clock.upSeconds !== null && clock.upSeconds <= staleAfterSeconds) {
    observer.warn?.(
      `Redis came back with old data ${clock.upSeconds}s ago: nobody is stale before it has been up for ${staleAfterSeconds}s`,
    );
  }

  observer.phase?.('mark', 'looking for stale coordinators');
  const marked = await mark(run);
  tally.visited = tally.keyspace;
  const { active, stale, unreadable } = tally;
  observer.phase?.('gather', `${active} active, ${stale} stale, ${unreadable} unreadable; gathering their keys`);
  const reason = refusal(run, target, request.force);
  if (reason === null) {
    const { census } = marked;
    for await (const { holdings, shared, orphans } of gather(run, marked)) {
      observer.phase?.('sweep', `${shared.length} keys of several coordinators, ${orphans.length} orphans`);
      await sweepShared(run, census, shared);
      // A second pass sweeps what it found as it goes; what was held from the first goes with its coordinators.
      if (marked.holdings === null) await sweepGathered(run, census, holdings);
      await sweepOrphanKeys(run, census, orphans);
    }
    observer.phase?.('sweep', `sweeping ${tally.stale - tally.swept} coordinators`);
    await sweepCoordinators(run, census, marked.holdings);
  }
  const after = dryRun || reason !== null ? before : await readTargetInfo(calls, target, dryRun, observer);
  const freed = Math.max(0, usedMemoryBytesOf(before) - usedMemoryBytesOf(after));
  const report = reportOf(run, target, request, { reason, freed, outcome: reason === null ? 'completed' : 'refused' });
  observer.phase?.('report', `${report.coordinators.swept} coordinators swept, ${report.keys.deleted} keys deleted`);
  return report;
};

const reportOf = (
  { calls, schema, tally, dryRun }: RunContext,
  target: TargetConfig,
  request: RunRequest,
  end: { reason: string | null; freed: number; outcome: Outcome },
): Report => {
  const { carried } = tally;
  const finishedAt = Date.now();
  return {
    run: request.run,
    target: target.name,
    trigger: request.trigger,
    dryRun,
    outcome: end.outcome,
    ...(end.reason === null ? {} : { reason: end.reason }),
    startedAt: new Date(request.startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    durationMs: finishedAt - request.startedAt,
    staleAfterSeconds: request.staleAfterSeconds,
    coordinators: tally.coordinators,
    keys: {
      found: tally.keys,
      deleted: dryRun ? 0 : tally.keys,
      orphans: tally.orphans,
      byFamily: Object.fromEntries(schema.families.map((family, i) => [family, tally.byFamily[i] ?? 0])),
    },
    redis: {
      calls: calls.count + (carried?.calls ?? 0),
      slowestCallMs: Math.round(Math.max(calls.slowestMs, carried?.slowestCallMs ?? 0) * 100) / 100,
      memoryFreedBytes: end.freed + (carried?.memoryFreedBytes ?? 0),
    },
    chunks: tally.chunks,
    strategy: 'script',
    attempts: request.attempts,
    unreadable: tally.unreadableSample.map((key) => Buffer.from(key, 'latin1').toString('utf8')),
  };
};
