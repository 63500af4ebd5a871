/** pace: how large the next call may be, so that it keeps Redis busy for about the call budget and no longer.
 *
 * Size follows time, as pt-online-schema-change chunks tables: a weighted average of keys per millisecond, times the
 * budget, at most doubled or halved at once.
 * (https://docs.percona.com/percona-toolkit/pt-online-schema-change.html, --chunk-time)
 *
 * The time is Redis' own: what the way takes, and how it varies, says nothing of how busy Redis is.
 */

/** How much the newest look counts in the average. */
const WEIGHT = 0.75;

export interface PaceLimits {
  readonly start: number;
  readonly least: number;
  readonly most: number;
}

export class Pace {
  #size: number;
  #most: number;
  #perMs: number | undefined;

  constructor(
    private readonly budgetMs: number,
    private readonly limits: PaceLimits,
  ) {
    this.#most = limits.most;
    this.#size = Math.max(limits.least, Math.min(limits.start, limits.most));
  }

  /** How many keys the next call may handle. */
  get size(): number {
    return this.#size;
  }

  /** Whether it can't become smaller. */
  get isLeast(): boolean {
    return this.#size <= this.limits.least;
  }

  /** More than this no call may handle. */
  get most(): number {
    return this.#most;
  }

  /**
   * Never again so large: the server refused a call of this size, sent when no more than `before` were allowed. Whether calls can be
   * smaller than that. Several calls under way at once are refused for the same reason, and teach it once.
   */
  cut(size: number, before: number): boolean {
    if (this.#most < before) return true;
    // One that could not be made as small as was allowed says only that this is still too much.
    const half = Math.floor((size - 1) / 2);
    const most = half < this.#most ? half : Math.floor(this.#most / 2);
    this.#most = Math.max(1, most);
    this.#become(this.#size);
    return most > 0;
  }

  /** Learns that so many keys took Redis so long. Nothing teaches nothing. */
  learn(amount: number, ms: number): void {
    if (amount <= 0) return;
    const perMs = amount / Math.max(ms, 0.001);
    this.#perMs = this.#perMs === undefined ? perMs : WEIGHT * perMs + (1 - WEIGHT) * this.#perMs;
    this.#become(Math.min(Math.max(this.#perMs * this.budgetMs, this.#size / 2), this.#size * 2));
  }

  /** Learns that so many keys took Redis so long at most: from that a size may grow at once, never shrink. */
  learnAtMost(amount: number, ms: number): void {
    if (amount > 0 && (amount / Math.max(ms, 0.001)) * this.budgetMs > this.#size) this.learn(amount, ms);
  }

  /** Halves at once: a call timed out or was cut off, or Redis was busy with somebody else's. */
  backOff(): void {
    this.#perMs = undefined;
    this.#become(this.#size / 2);
  }

  #become(size: number): void {
    this.#size = Math.round(Math.min(Math.max(size, this.limits.least), this.#most));
  }
}
