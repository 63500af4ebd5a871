/** report: what a run tells of itself.
 *      mark ──▶ gather ──▶ sweep ──▶ [report]
 */
import type { TargetConfig } from '../../config/resolve.ts';
import type { Pass } from '../../domain/horizon.ts';
import type { Outcome, Report, Trigger } from '../../domain/report.ts';
import type { Target } from '../../redis/target/target.ts';
import type { Run } from '../context.ts';
import type { Hold } from '../guards/hold.ts';
import type { Distinct } from '../../store/distinct.ts';
import type { Stopwatch } from '../../redis/call/stopwatch.ts';
import { type Carried, Tally } from './tally.ts';

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

/** As much of a run as its report is made of. */
interface Reported extends Pick<Run, 'tally' | 'dryRun'> {
  readonly target: Pick<Target, 'settings' | 'stopwatch' | 'strategy'>;
  readonly hold: Pick<Hold, 'told'>;
  readonly kept: Pick<Distinct, 'count'>;
  readonly memory: Run['memory'];
  readonly trash: Run['trash'];
}

interface End {
  readonly reason?: string | null;
  readonly freed?: number;
  readonly outcome: Outcome;
  readonly pass: Pass;
}

/** What a target lets be done of it: one that is only observed has dry runs alone, whoever asks. */
export function requestFor({ mode }: Pick<TargetConfig, 'mode'>, asked: RunRequest): RunRequest {
  return mode === 'observe' ? { ...asked, dryRun: true } : asked;
}

/** The report of a run that has ended. */
export function reportOf(
  { target, tally, dryRun, hold, kept, memory, trash }: Reported,
  request: RunRequest,
  { reason = null, freed = 0, outcome, pass }: End,
): Report {
  const { stopwatch } = target;
  const { carried } = tally;
  const memoryEstimateBytes = memory?.estimate(tally.byFamily);
  const finishedAt = Date.now();
  return {
    run: request.run,
    target: target.settings.name,
    trigger: request.trigger,
    dryRun,
    outcome,
    pass,
    ...(reason === null ? {} : { reason }),
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
      kept: kept.count,
      byFamily: Object.fromEntries(
        target.settings.schema.families.map((family, i) => [family, tally.byFamily[i] ?? 0]),
      ),
    },
    redis: {
      calls: stopwatch.count + (carried?.calls ?? 0),
      slowestCallMs: Math.round(Math.max(stopwatch.slowestMs, carried?.slowestCallMs ?? 0) * 100) / 100,
      memoryFreedBytes: freed + (carried?.memoryFreedBytes ?? 0),
      ...(memoryEstimateBytes === undefined ? {} : { memoryEstimateBytes }),
    },
    chunks: tally.chunks,
    strategy: target.strategy,
    attempts: request.attempts,
    unreadable: tally.unreadableByWhy.groups,
    ...(tally.unowned === null || tally.unowned.count === 0 ? {} : { unowned: tally.unowned }),
  };
}

/** The report, so far, of a run that has not looked at its target yet: what earlier attempts removed. */
export function reportAhead(settings: TargetConfig, stopwatch: Stopwatch, asked: RunRequest): Report {
  const request = requestFor(settings, asked);
  const carried = request.dryRun ? null : request.carried;
  const tally = new Tally(settings.schema.families.length, carried);
  const target = { settings, stopwatch, strategy: 'script' } as const;
  const nothing = { hold: { told: {} }, kept: { count: 0 }, memory: null, trash: null };
  const pass = carried === null ? 'none' : 'full';
  return reportOf({ target, tally, dryRun: request.dryRun, ...nothing }, request, { outcome: 'interrupted', pass });
}
