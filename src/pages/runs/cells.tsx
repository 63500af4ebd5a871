/** cells: what a run came to, as a table's cells and a run's own page both say it. */
import { knowsFreed } from '../../domain/report.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { amount, bytesOf, tookOf } from '../parts/amounts.ts';
import { TRIGGERS } from './query.ts';

const NONE = <span class="none">–</span>;

/** Who asked for a run. */
export function AskedBy({ by, trigger }: { readonly by: string | null; readonly trigger: string | null }) {
  const how = trigger === null ? '–' : ((TRIGGERS as Readonly<Record<string, string>>)[trigger] ?? trigger);
  if (by === null) return how;
  return (
    <>
      <span class="id">{by}</span> <span class="soft">({how})</span>
    </>
  );
}

/** Who went, of how many; in a dry run, who would. */
export function Coordinators({ run }: { readonly run: PastRun }) {
  const { report, removed, dryRun } = run;
  if (report === null || report.outcome === 'skipped') return removed.swept > 0 ? amount(removed.swept) : NONE;
  const { stale, swept, checked, held = 0 } = report.coordinators;
  if (report.pass === 'none') return <span class="soft">nobody due</span>;
  const kept = held > 0 && <span class="soft">, {amount(held)} held</span>;
  return (
    <>
      {dryRun ? `would: ${amount(stale)}` : amount(swept)} {!dryRun && <span class="soft">of {amount(checked)}</span>}
      {kept}
    </>
  );
}

export function Things({ run: { report, removed, dryRun } }: { readonly run: PastRun }) {
  if (report === null || report.outcome === 'skipped') return removed.deleted > 0 ? amount(removed.deleted) : NONE;
  return amount(dryRun ? report.keys.found : report.keys.deleted);
}

export function Freed({ run: { report, dryRun } }: { readonly run: PastRun }) {
  if (report === null || dryRun || report.outcome === 'skipped' || report.keys.deleted === 0) return NONE;
  // What lies there still takes its memory.
  if ((report.keys.trashed ?? 0) > 0) return <span class="soft">in the trash</span>;
  if (!knowsFreed(report)) return NONE;
  return bytesOf(report.redis.memoryFreedBytes);
}

/** How long a run took in ms, all its tries and what lay between them; `null` until it has ended. */
export function tookMs({ report, state, startedAtMs, atMs }: Timed): number | null {
  if (report !== null) return report.durationMs;
  return state === 'ended' ? Math.max(0, atMs - startedAtMs) : null;
}

/** What that is told by. */
export type Timed = Pick<PastRun, 'report' | 'state' | 'startedAtMs' | 'atMs'>;

export function Took({ run }: { readonly run: PastRun }) {
  const { report, attempts, outcome } = run;
  if ((report === null || outcome === 'failed') && attempts > 1) return <>{amount(attempts)} tries</>;
  const ms = tookMs(run);
  return ms === null ? NONE : tookOf(ms);
}
