/** report: what a run tells of itself.
 *      mark ──▶ gather ──▶ sweep ──▶ [report]
 */
import type { Outcome, Report, Trigger } from '../domain/report.ts';
import type { Run } from './context.ts';
import type { Carried } from './tally.ts';

/** What was asked for, and by whom. */
export interface RunRequest {
  /** The run's id, as the report names it. */
  readonly run: string;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  readonly staleAfterSeconds: number;
  /** Sweep whatever the guards say: `maxStale`, `maxStaleFraction`, and a sudden silence (P12). */
  readonly force: boolean;
  readonly attempts: number;
  /** What earlier attempts of this run removed. */
  readonly carried: Carried | null;
  /** When the first attempt started, in ms since the epoch. */
  readonly startedAt: number;
}

/** The report of a run that has ended. */
export function reportOf(
  { target, schema, tally, dryRun, hold, trash }: Run,
  request: RunRequest,
  end: { readonly reason: string | null; readonly freed: number; readonly outcome: Outcome },
): Report {
  const { stopwatch } = target;
  const { carried } = tally;
  const finishedAt = Date.now();
  return {
    run: request.run,
    target: target.settings.name,
    trigger: request.trigger,
    dryRun,
    outcome: end.outcome,
    ...(end.reason === null ? {} : { reason: end.reason }),
    startedAt: new Date(request.startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    durationMs: finishedAt - request.startedAt,
    staleAfterSeconds: request.staleAfterSeconds,
    coordinators: tally.coordinators,
    ...hold.told,
    silence: tally.silence,
    keys: {
      found: tally.keys,
      deleted: dryRun ? 0 : tally.keys,
      ...(trash === null ? {} : { trashed: tally.trashed }),
      orphans: tally.orphans,
      byFamily: Object.fromEntries(schema.families.map((family, i) => [family, tally.byFamily[i] ?? 0])),
    },
    redis: {
      calls: stopwatch.count + (carried?.calls ?? 0),
      slowestCallMs: Math.round(Math.max(stopwatch.slowestMs, carried?.slowestCallMs ?? 0) * 100) / 100,
      memoryFreedBytes: end.freed + (carried?.memoryFreedBytes ?? 0),
    },
    chunks: tally.chunks,
    strategy: target.strategy,
    attempts: request.attempts,
    unreadable: tally.unreadableByWhy.groups,
  };
}
