/** outagesOf: the outages of a target that a run has to subtract from silences (P10). */
import { merged, type Outage } from '../domain/outages.ts';
import type { Ledger } from './ledger.ts';

/** Who has been silent for longer is stale whatever happened before, in ms. */
const LONGEST_BACK_MS = 30 * 86_400_000;
/** A span that ended so lately may not have ended yet: whoever watches looks every few seconds. */
const FRESH_MS = 10_000;

/**
 * The outages that can matter to a silence; none where the ledger can't be read. What was noted as lasting until a moment ago lasts until now.
 * @param nowMs the target's clock
 */
export async function outagesOf(ledger: Ledger, target: string, nowMs: number): Promise<readonly Outage[]> {
  const spans = await ledger.outagesSince(target, nowMs - LONGEST_BACK_MS).catch(() => []);
  const untilNow = (toMs: number) => (nowMs - toMs < FRESH_MS ? Math.max(toMs, nowMs) : toMs);
  return merged(spans.map(({ fromMs, toMs }) => ({ fromAt: fromMs, toAt: untilNow(toMs) })));
}
