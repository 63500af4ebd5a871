/** outages: spans of time in which nobody could beat, and what they take from a silence (P10). */

/** A span in which a target did not answer, or took no writes; in ms since the epoch, by the target's own clock. */
export interface Outage {
  readonly fromAt: number;
  readonly toAt: number;
}

/** The same time as spans that neither overlap nor touch, in order. Spans that last no time are none: they take nothing from a silence. */
export function merged(outages: readonly Outage[]): readonly Outage[] {
  const spans: { fromAt: number; toAt: number }[] = [];
  for (const { fromAt, toAt } of [...outages].sort((a, b) => a.fromAt - b.fromAt)) {
    const last = spans.at(-1);
    if (toAt <= fromAt) continue;
    if (last !== undefined && fromAt <= last.toAt) last.toAt = Math.max(last.toAt, toAt);
    else spans.push({ fromAt, toAt });
  }
  return spans;
}

/**
 * How many ms of the time between two instants lie within outages; 0 when the first is not before the second.
 * @param outages as `merged` gives them
 */
export function outageMs(outages: readonly Outage[], fromAt: number, toAt: number): number {
  let ms = 0;
  // From the latest: a silence reaches back from now, and most are short.
  for (let i = outages.length - 1; i >= 0; i--) {
    const outage = outages[i] as Outage;
    if (outage.toAt <= fromAt) break;
    ms += Math.max(0, Math.min(outage.toAt, toAt) - Math.max(outage.fromAt, fromAt));
  }
  return ms;
}
