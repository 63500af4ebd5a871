/** restorable: until when what a run took can be brought back. */

/** What of a batch, or of a run, tells it. */
export interface Trashed {
  /** When a batch was written, which is just before its things went; of a run, when it ended. */
  readonly atMs: number;
  /** How long they stay in the trash, in ms. */
  readonly trashMs?: number | undefined;
}

/** The instant, in ms; `null` where things were removed for good. */
export function restorableUntilMs({ atMs, trashMs }: Trashed): number | null {
  return trashMs === undefined || trashMs <= 0 ? null : atMs + trashMs;
}
