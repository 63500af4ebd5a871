/** outagesOf: the outages of a target that a run has to subtract from silences, and since when a replica that took over serves (P10). */
import { setTimeout as pause } from 'node:timers/promises';
import type { TargetConfig } from '../../config/resolve.ts';
import { merged, type Outage } from '../../domain/outages.ts';
import type { Ledger } from '../ledger.ts';
import type { NamedPlace } from '../runs/names.ts';
import type { Span } from './outages.ts';

/** Who has been silent for longer is stale whatever happened before, in ms. */
const LONGEST_BACK_MS = 30 * 86_400_000;
/** A span that ended so lately may not have ended yet: whoever watches looks every few seconds. */
const FRESH_MS = 10_000;
/** Whoever looks every two seconds, and has not for so long, could not. */
const OVERDUE_MS = 4_000;
/** So long a run waits for whoever may be about to look: two looks, and the way there. Who has not looked by then is gone. */
const WAIT_MS = 8_000;
const AGAIN_MS = 250;

/**
 * The outages that can matter to a silence; none where the ledger can't be read, or the target does not ask. What was noted as lasting until a moment ago
 * lasts until now. Where somebody should have looked at the target by now and has not, as when it stood still together with the
 * queue until this moment, that look is waited for; once `signal` is aborted, it is not.
 * @param nowMs the target's clock
 */
export async function outagesOf(
  ledger: Ledger,
  target: Pick<TargetConfig, 'name' | 'url' | 'id' | 'restartGrace'>,
  nowMs: number,
  signal?: AbortSignal,
): Promise<readonly Outage[]> {
  if (!target.restartGrace) return [];
  const isFresh = ({ toMs }: Span) => nowMs - toMs < FRESH_MS;
  const read = async () => await ledger.outagesSince(target, nowMs - LONGEST_BACK_MS);
  try {
    let spans = await read();
    // Whoever noted it a moment ago looks on.
    if (!spans.some(isFresh)) {
      await awaitLook(ledger, target, nowMs, signal);
      spans = await read();
    }
    return merged(
      spans.map((span) => ({ fromAt: span.fromMs, toAt: isFresh(span) ? Math.max(span.toMs, nowMs) : span.toMs })),
    );
  } catch {
    return [];
  }
}

async function awaitLook(ledger: Ledger, target: NamedPlace, nowMs: number, signal?: AbortSignal): Promise<void> {
  const isOverdue = (at: number | null): boolean => at !== null && nowMs - at > OVERDUE_MS;
  for (const until = performance.now() + WAIT_MS; isOverdue(await ledger.watchedAt(target)); ) {
    if (signal?.aborted) return;
    if (performance.now() >= until) return await ledger.forgetWatched(target);
    await pause(AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}

/**
 * When servers of a target took over from others, in ms of its clock, by the histories they began then (P10); none where nobody saw it, the
 * ledger can't be read, or the target does not ask.
 * @param histories as the target's primaries say, of all that took over
 * @param notes whether the ledger is to know from now on
 */
export async function promotedAtOf(
  ledger: Ledger,
  target: Pick<TargetConfig, 'name' | 'url' | 'id' | 'restartGrace'>,
  histories: readonly string[],
  nowMs: number,
  notes: boolean,
): Promise<ReadonlyMap<string, number>> {
  if (!target.restartGrace) return new Map();
  return await ledger.promotedAt(target, histories, nowMs, notes).catch(() => new Map());
}
