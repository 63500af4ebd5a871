/** instant: a moment, as people and programs write it. */

/** Milliseconds since the epoch as ISO 8601, in UTC; `null` when no calendar has such a moment. */
export function isoOf(epochMs: number): string | null {
  const at = new Date(epochMs);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
