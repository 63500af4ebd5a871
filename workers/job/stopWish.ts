/** stopWish: whether somebody has stopped a run that is under way here. */
import { StopWish } from '../../src/cleanup/run.ts';
import type { Queues } from '../../src/queue/queues.ts';
import { isStopped } from '../../src/queue/runs/stop.ts';

/** How often it is looked whether somebody stopped the run. */
const ASK_EVERY_MS = 250;

export class StopWatch {
  readonly #wish = new AbortController();
  #asking: NodeJS.Timeout | undefined;

  constructor(
    private readonly queues: Queues,
    private readonly run: string,
  ) {}

  /** Aborted, with a `StopWish`, once somebody stopped the run. */
  get signal(): AbortSignal {
    return this.#wish.signal;
  }

  /** Asks now, and then again and again until `end`. */
  async begin(): Promise<void> {
    await this.#ask();
    this.#asking = setInterval(() => void this.#ask(), ASK_EVERY_MS);
  }

  end(): void {
    clearInterval(this.#asking);
  }

  async #ask(): Promise<void> {
    // A queue that can't be asked is told of elsewhere.
    if (await isStopped(this.queues, this.run).catch(() => false)) {
      this.#wish.abort(new StopWish('somebody stopped the run'));
    }
  }
}
