/** fold: runs that say the same stand together in one row: those that found nothing, and failures of a target for the same reason. */
import type { PastRun } from '../../ledger/runs/pastRun.ts';

export type Row =
  | { readonly kind: 'run'; readonly run: PastRun }
  /** One after the other, of whichever targets, the newest first. */
  | { readonly kind: 'nothing'; readonly runs: readonly PastRun[] }
  /** Of one target, with other targets' runs between them. */
  | { readonly kind: 'failures'; readonly runs: readonly PastRun[] };

/**
 * Whether nobody was stale or held, so that there is nothing to look at. Who can't be judged stands on the overview: one of them
 * that nobody mends would else make a row of each run for ever.
 */
function foundNothing({ outcome, removed, reason, report }: PastRun): boolean {
  if (outcome !== 'completed' || reason !== null || report === null || report.reason !== undefined) return false;
  const { stale, held } = report.coordinators;
  return removed.swept + removed.deleted + stale + (held ?? 0) + report.keys.found === 0;
}

function isFailure({ outcome, reason }: PastRun): boolean {
  return (outcome === 'failed' || outcome === 'refused') && reason !== null;
}

/** Rows in the order of their newest run. What stands alone is a run as any other. */
export function fold(runs: readonly PastRun[]): readonly Row[] {
  const rows: { kind: 'run' | 'nothing' | 'failures'; runs: PastRun[] }[] = [];
  /** By target, the row of its last run that is no run which found nothing. */
  const lastOf = new Map<string, (typeof rows)[number]>();
  for (const run of runs) {
    if (foundNothing(run)) {
      const last = rows.at(-1);
      if (last?.kind === 'nothing') last.runs.push(run);
      else rows.push({ kind: 'nothing', runs: [run] });
      lastOf.delete(run.target);
      continue;
    }
    const last = lastOf.get(run.target);
    if (isFailure(run) && last?.kind === 'failures' && isSame(last.runs[0], run)) {
      last.runs.push(run);
      continue;
    }
    const row = { kind: isFailure(run) ? ('failures' as const) : ('run' as const), runs: [run] };
    rows.push(row);
    lastOf.set(run.target, row);
  }
  return rows.map(({ kind, runs: all }): Row => {
    const [run] = all;
    return run !== undefined && (kind === 'run' || all.length === 1)
      ? { kind: 'run', run }
      : { kind: kind as 'nothing' | 'failures', runs: all };
  });
}

function isSame(a: PastRun | undefined, b: PastRun): boolean {
  return a?.outcome === b.outcome && a.reason === b.reason;
}
