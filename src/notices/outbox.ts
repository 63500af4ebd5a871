/** outbox: notices on their way, one after the other, so that they arrive in the order of what happened.
 *
 *  Promises  `put` never waits and never throws; no more than `MOST_WAITING` notices wait, then the oldest is given up, since
 *            the newest says how things stand; what could not be delivered is logged, by target and event alone.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pRetry, { type Options } from 'p-retry';
import type { Notify } from '../config/settings/notify.ts';
import { sentenceOf } from '../domain/failure.ts';
import type { Logger } from '../log/logger.ts';
import type { Message } from './message.ts';
import { post, Unwanted } from './post.ts';

/** Some kB each. */
const MOST_WAITING = 100;
/** Who asks to be left alone for longer is asked again all the same, in ms. */
const MOST_PATIENCE_MS = 300_000;
/** How long the end of a process waits for what is on its way, in ms. */
const LEAVE_MS = 500;
/** Nine tries in about 25 minutes: 1, 3, 9, … seconds apart, at most five minutes, and up to twice that at random. */
const RETRIES: Options = { retries: 8, factor: 3, minTimeout: 1_000, maxTimeout: 300_000, randomize: true };

export class Outbox {
  readonly #waiting: Message[] = [];
  readonly #leaving = new AbortController();
  #working: Promise<void> | null = null;
  /** Whether the receiver said that it wants no more. */
  #gone = false;

  /**
   * @param onLost told of each notice that will not be delivered
   * @param retries how often, and after which pauses, delivery is tried again
   */
  constructor(
    private readonly notify: Notify,
    private readonly logger: Logger,
    private readonly onLost: (message: Message) => void = () => {},
    private readonly retries: Options = RETRIES,
  ) {}

  /** Takes a notice, to be sent soon. */
  put(message: Message): void {
    if (this.#gone || this.#leaving.signal.aborted) {
      this.onLost(message);
      return;
    }
    this.#waiting.push(message);
    if (this.#waiting.length > MOST_WAITING) this.#lose(this.#waiting.shift() as Message, 'too many wait');
    this.#working ??= this.#work();
  }

  /** Sends what can be sent in half a second, and gives up the rest. */
  async close(): Promise<void> {
    const late = setTimeout(() => this.#leaving.abort(), LEAVE_MS);
    await this.#working;
    clearTimeout(late);
    this.#leaving.abort();
  }

  async #work(): Promise<void> {
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      try {
        await this.#deliver(message);
        this.logger.debug({ target: message.target, event: message.event, id: message.id }, 'notice delivered');
      } catch (error) {
        this.#gone ||= error instanceof Unwanted && error.forGood;
        this.#lose(message, this.#leaving.signal.aborted ? 'the process ends' : sentenceOf(error));
        if (!this.#gone && !this.#leaving.signal.aborted) continue;
        if (this.#gone)
          this.logger.warn('the receiver of notices wants no more (410): none is sent until the next start');
        for (const left of this.#waiting.splice(0)) this.onLost(left);
      }
    }
    this.#working = null;
  }

  async #deliver(message: Message): Promise<void> {
    const { signal } = this.#leaving;
    await pRetry(async () => await post(this.notify, message, signal), {
      ...this.retries,
      signal,
      unref: true,
      shouldRetry: ({ error }) => !(error instanceof Unwanted && error.forGood),
      onFailedAttempt: async ({ error, retriesLeft }) => {
        this.logger.debug(
          { target: message.target, event: message.event, error: error.message },
          'notice not delivered yet',
        );
        if (!(error instanceof Unwanted) || error.againAfterMs === 0 || retriesLeft === 0) return;
        await pause(Math.min(error.againAfterMs, MOST_PATIENCE_MS), undefined, { signal, ref: false });
      },
    });
  }

  #lose(message: Message, why: string): void {
    const { target, event } = message;
    this.logger.warn({ target, event, why }, 'a notice was not delivered');
    this.onLost(message);
  }
}
