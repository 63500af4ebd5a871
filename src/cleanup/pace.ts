/** pace: how large the next call may be, so that it keeps Redis busy for about the call budget and no longer.
 *
 * Size follows time, as pt-online-schema-change chunks tables: a weighted average of keys per millisecond, times the
 * budget, at most doubled or halved at once.
 * (https://docs.percona.com/percona-toolkit/pt-online-schema-change.html, --chunk-time)
 *
 * Behind a slow network calls take long though Redis is hardly busy. They shrink too, since nobody can be sure, but not
 * below an eighth of what Redis could do in the budget: else a round trip of two milliseconds would end in calls of one key.
 */

/** How much the newest call counts in the average. */
const WEIGHT = 0.75;
const LEAST_SHARE = 1 / 8;

export interface PaceLimits {
  readonly start: number;
  readonly least: number;
  readonly most: number;
}

export class Pace {
  #size: number;
  #perMs: number | undefined;

  /** @param latencyMs what a call takes that asks for nothing */
  constructor(
    private readonly budgetMs: number,
    private readonly limits: PaceLimits,
    private readonly latencyMs = 0,
  ) {
    this.#size = Math.max(limits.least, Math.min(limits.start, limits.most));
  }

  /** How many keys the next call may handle. */
  get size(): number {
    return this.#size;
  }

  /** Learns from a call that handled `amount` keys in `ms`. A call of nothing teaches nothing. */
  learn(amount: number, ms: number): void {
    if (amount <= 0) return;
    const perMs = amount / Math.max(ms, 0.001);
    this.#perMs = this.#perMs === undefined ? perMs : WEIGHT * perMs + (1 - WEIGHT) * this.#perMs;
    const atLeast = LEAST_SHARE * this.budgetMs * (amount / Math.max(ms - this.latencyMs, 0.001));
    const wanted = Math.max(this.#perMs * this.budgetMs, atLeast);
    this.#become(Math.min(Math.max(wanted, this.#size / 2), this.#size * 2));
  }

  /** Halves at once: a call timed out, or Redis was busy with somebody else's. */
  backOff(): void {
    this.#perMs = undefined;
    this.#become(this.#size / 2);
  }

  #become(size: number): void {
    this.#size = Math.round(Math.min(Math.max(size, this.limits.least), this.limits.most));
  }
}
