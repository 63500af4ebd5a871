/** past: what a run is to know of the one before (P12): how many were active, and whether who fell silent is held. */
import type { Report } from '../../domain/report.ts';
import type { Past } from '../../domain/suddenSilence.ts';
import type { Ledger } from '../ledger.ts';

/** So many runs are looked through for one that was no dry run: those of a day, where one comes every five minutes. */
const MOST_RUNS = 300;

/**
 * The report of the last completed run of this target that looked at everybody and was no dry run; `null` where none is known. What another
 * deployment, or an earlier configuration, means by that name, with another address or schema, is another target. Rejects where the
 * ledger can't be read.
 */
export async function lastRunOf(ledger: Ledger, target: string, fingerprint: string): Promise<Report | null> {
  const { runs } = await ledger.history({ target, outcome: 'completed', fullPass: true, limit: MOST_RUNS });
  const last = runs.find((run) => !run.dryRun && run.report !== null && run.fingerprint === fingerprint);
  return last?.report ?? null;
}

/** What that run left of this target; `null` where none is known. Rejects where the ledger can't be read. */
export async function pastOf(ledger: Ledger, target: string, fingerprint: string): Promise<Past | null> {
  const last = await lastRunOf(ledger, target, fingerprint);
  return last === null ? null : { active: last.coordinators.active, heldSinceAt: heldSince(last) };
}

/** Who is held stays held until a run has left nobody stale. */
function heldSince({ held, coordinators }: Report): number | null {
  const { stale, swept, revived, held: kept } = coordinators;
  return held !== undefined && kept + stale - swept - revived > 0 ? Date.parse(held.since) : null;
}
