/** rest: leaves Redis to its other users, between calls, for as long as `nice` asks. */

/** However long a call took, nobody rests longer than this. */
const LONGEST_REST_MS = 1_000;

export class Rest {
  #debtMs = 0;

  /** @param nice how long to rest after a call, in lengths of that call; 0: not at all */
  constructor(readonly nice: number) {}

  /** Notes that Redis worked for so long. */
  owe(ms: number): void {
    this.#debtMs += Math.min(ms * this.nice, LONGEST_REST_MS);
  }

  /** Whether it is time to rest. A timer can't wait for less than a millisecond, so small debts are saved up. */
  get isDue(): boolean {
    return this.#debtMs >= 1;
  }

  /** Rests for what is owed since the last rest; returns at once when that is not due. */
  async take(): Promise<void> {
    if (!this.isDue) return;
    const debtMs = this.#debtMs;
    this.#debtMs = 0;
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, debtMs));
    const overslept = Math.max(0, performance.now() - startedAt - debtMs);
    // Who was stopped for minutes has not rested in advance.
    this.#debtMs = Math.max(this.#debtMs - overslept, -LONGEST_REST_MS);
  }
}
