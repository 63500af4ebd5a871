/** past: what a run is to know of the one before (P12): how many were active, and whether who fell silent is held. */
import { samePlace } from '../../config/fingerprint.ts';
import type { Report } from '../../domain/report.ts';
import type { Past } from '../../domain/suddenSilence.ts';
import type { Ledger } from '../ledger.ts';
import type { PastRun } from '../runs/pastRun.ts';

/** So many runs are looked through for one that was no dry run: those of a day, where one comes every five minutes. */
const MOST_RUNS = 300;

/**
 * The report of the last completed run of this target that looked at everybody, and did what its target is set to: where that is to
 * observe, the schedule's dry runs count. `null` where none is known. A target whose schema, address or name was changed has a past all the
 * same, since that is when a split or a mistake takes all who live for stale: where its own name has none for the same place and schema, that of another name for the very
 * same stands in, then that of its name with another schema, then that of its name elsewhere. So another deployment's, who means something
 * else by that name, may hold who is stale there in the first run, which costs time alone. Rejects where the ledger can't be read.
 */
export async function lastRunOf(ledger: Ledger, target: string, fingerprint: string): Promise<Report | null> {
  const asked = { outcome: 'completed', fullPass: true, limit: MOST_RUNS } as const;
  const named = (await ledger.history({ ...asked, target })).runs.filter(isTelling);
  const isVerySame = (run: PastRun) => run.fingerprint === fingerprint;
  const last = named.find(isVerySame) ?? (await ledger.history(asked)).runs.filter(isTelling).find(isVerySame);
  const changed = named.find((run) => samePlace(run.fingerprint, fingerprint)) ?? named[0];
  return (last ?? changed)?.report ?? null;
}

function isTelling({ dryRun, trigger, report }: PastRun): boolean {
  return report !== null && (!dryRun || trigger === 'schedule');
}

/** What the last runs found by each ledger: a queue's Redis may be emptied, or away, just when all fall silent. */
const remembered = new WeakMap<Ledger, Map<string, Past>>();

/**
 * What that run left of this target; `null` where none is known. Where the ledger was emptied since this process asked, or can't be read, what it
 * said then. Rejects where the ledger can't be read, and never was.
 */
export async function pastOf(ledger: Ledger, target: string, fingerprint: string): Promise<Past | null> {
  const ours = remembered.get(ledger) ?? new Map<string, Past>();
  remembered.set(ledger, ours);
  const before = ours.get(fingerprint);
  const last = await lastRunOf(ledger, target, fingerprint).catch((error: unknown) => {
    if (before === undefined) throw error;
    return null;
  });
  if (last === null) return before ?? null;
  const past = { active: last.coordinators.active, heldSinceAt: heldSince(last) };
  ours.set(fingerprint, past);
  return past;
}

/** Who is held stays held until a run has left nobody stale. */
function heldSince({ held, coordinators }: Report): number | null {
  const { stale, swept, revived, held: kept } = coordinators;
  return held !== undefined && kept + stale - swept - revived > 0 ? Date.parse(held.since) : null;
}
