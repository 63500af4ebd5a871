/** thinned: what is told often, sent seldom: at once, or as soon as it may be again, so that the last word is sent, too. */

export class Thinned {
  #sentAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #sending = false;
  #again = false;
  #stopped = false;

  /**
   * @param send never called while it has not settled; must not reject
   * @param everyMs from the beginning of one to that of the next, at least
   */
  constructor(
    private readonly send: () => Promise<void>,
    private everyMs: number,
  ) {}

  /** From now on it may be sent so often. */
  every(ms: number): void {
    if (ms === this.everyMs) return;
    this.everyMs = ms;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.tell();
  }

  /** There is something new: sent within `everyMs`, or once what is being sent has settled. */
  tell(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    if (this.#sending) {
      this.#again = true;
      return;
    }
    const leftMs = this.#sentAt + this.everyMs - performance.now();
    if (leftMs <= 0) void this.#run();
    else this.#timer = setTimeout(() => void this.#run(), leftMs).unref();
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#sentAt = performance.now();
    this.#sending = true;
    await this.send();
    this.#sending = false;
    if (!this.#again) return;
    this.#again = false;
    this.tell();
  }
}
