/** outages: one line when a connection breaks, one when it is back, however many errors come in between. */
import type { Logger } from './logger.ts';

/** What was under way when a connection broke may fail only after it is back: locks are renewed every 4 seconds. One that
 * is lost again goes on failing. */
const AFTERSHOCK_MS = 5_000;

/** Watches connections of one kind. `failed` and `restored` may be called as often as the library emits them. */
export class Outage {
  // Not Date.now, which may be set right in between.
  #since: number | null = null;
  #failedAt = 0;
  #restoredAt = Number.NEGATIVE_INFINITY;
  #quiet = true;

  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  failed(error: Error): void {
    this.#failedAt = performance.now();
    this.#quiet = false;
    if (this.#since !== null || this.#failedAt - this.#restoredAt < AFTERSHOCK_MS) return;
    this.#since = this.#failedAt;
    this.logger.warn({ error: error.message }, `${this.what}: lost; trying again until it is back`);
  }

  restored(): void {
    if (this.#since === null) return;
    const seconds = Math.round((this.#failedAt - this.#since) / 1000);
    this.#since = null;
    this.#restoredAt = performance.now();
    this.logger.info({ seconds }, `${this.what}: back`);
  }

  /** Whether there is an outage in which nothing has failed since this was last asked. */
  hasGoneQuiet(): boolean {
    const quiet = this.#quiet;
    this.#quiet = true;
    return quiet && this.#since !== null;
  }
}
