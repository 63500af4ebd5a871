/** keep look: once a run has ended, what stands in its target by family is looked at, and kept beside the ledger. */
import type { Report } from '../domain/report.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { lookAt } from '../redis/keyspace/look.ts';
import type { Target } from '../redis/target/target.ts';

/** Where nothing was removed, a look that is no older is still good. */
const GOOD_FOR_MS = 60_000;

/** Looks, unless the last look is still good, or the run was told to end. Never rejects: a run has ended well without it, too. */
export async function keepLook(ledger: Ledger, target: Target, report: Report, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    const [last] = await ledger.looks([target.settings]);
    const age = Date.now() - (last?.atMs ?? 0);
    if (report.keys.deleted === 0 && last && age >= 0 && age < GOOD_FOR_MS) return;
    const { complete, families } = await lookAt(target, signal);
    if (signal.aborted) return;
    const named = families.map((sample, i) => ({ family: target.settings.schema.families[i] ?? '', ...sample }));
    await ledger.noteLook(target.settings, { complete, families: named });
  } catch {
    // The last look stays, with its time.
  }
}
