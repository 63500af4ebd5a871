/** outages: one line when a connection breaks, one when it is back, however many errors come in between. */
import type { Logger } from './logger.ts';

/** Watches connections of one kind. `failed` and `restored` may be called as often as the library emits them. */
export class Outage {
  #since: number | null = null;

  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  failed(error: Error): void {
    if (this.#since !== null) return;
    this.#since = Date.now();
    this.logger.warn({ error: error.message }, `${this.what}: lost; trying again until it is back`);
  }

  restored(): void {
    if (this.#since === null) return;
    const seconds = Math.round((Date.now() - this.#since) / 1000);
    this.#since = null;
    this.logger.info({ seconds }, `${this.what}: back`);
  }
}
