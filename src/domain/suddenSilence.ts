/** suddenSilence: many deaths at once are not believed at once (P12). */

/** When so many fall silent together that it is more likely something else: a network, a deployment, a clock. */
export interface SuddenSilence {
  /** Fewer active ones than this share of those of the last completed run. */
  readonly fraction: number;
  /** And at least so many fewer. */
  readonly from: number;
}

/** What is known of a target's past. */
export interface Past {
  /** How many were active in its last completed run that did what it is set to; `null` where there was none. */
  readonly active: number | null;
  /** Since when its stale ones are held, in ms since the epoch; `null` while they are not. */
  readonly heldSinceAt: number | null;
}

/** Below so many stale ones a share of them says nothing: one of one may well have died. */
export const FRACTION_FROM = 10;

/** While a target is held, its threshold counts so many times. */
export const HELD_FACTOR = 2;

/**
 * Whether so many have fallen silent since the last completed run that the stale ones are held.
 * @param before how many were active then; `null` where nothing is known of the past: then nobody is held
 */
export function isSudden(before: number | null, now: number, { fraction, from }: SuddenSilence): boolean {
  return before !== null && now < before * fraction && before - now >= from;
}
