/** status source: the status as pages take it: at once, as fresh as that goes, and the last known where the queue is out of reach. */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import type { Reach } from '../../status/reach.ts';
import type { Status, StatusReader } from '../../status/status.ts';

/** What was read so lately is as good as new, in ms. */
const FRESH_MS = 500;
/** So long a page waits for numbers that are newer, in ms; then it shows those that are there, and brings them up to date. */
const PATIENCE_MS = 30;
/** The same where those that are there are old, since nobody has looked for a while: some pages are not brought up to date. */
const MORE_PATIENCE_MS = 250;
/** When the queue has been asked for so long and has said nothing, that is said; numbers older than this are old. */
const LATE_MS = 4_000;

export class StatusSource {
  #readAt = Number.NEGATIVE_INFINITY;
  /** When it was first asked since it last answered; `null`: it has answered since. */
  #askedAt: number | null = null;
  #failure: unknown = null;

  constructor(
    private readonly reader: StatusReader,
    private readonly reach: Pick<Reach, 'known'>,
  ) {}

  /** Reads it ahead, for the first who asks. */
  warm(): void {
    void this.#read();
  }

  /** Never rejects: what can't be read now is what was known then. */
  async get(): Promise<Status> {
    if (performance.now() - this.#readAt < FRESH_MS && this.reader.last !== null) return this.reader.last;
    const patienceMs = performance.now() - this.#readAt > LATE_MS ? MORE_PATIENCE_MS : PATIENCE_MS;
    const status = await Promise.race([this.#read(), pause(patienceMs, null, { ref: false })]);
    if (status !== null) return status;
    // It is still on its way.
    const late = this.#askedAt !== null && performance.now() - this.#askedAt > LATE_MS;
    const { last } = this.reader;
    if (last === null) return this.reader.lastKnown(this.#failure);
    if (late) return this.reader.lastKnown(this.#failure ?? new Failure('UNREACHABLE', 'it says nothing'));
    return performance.now() - this.#readAt > LATE_MS ? { ...last, known: 'old' } : last;
  }

  async #read(): Promise<Status> {
    this.#askedAt ??= performance.now();
    try {
      const status = await this.reader.read(this.reach.known);
      this.#failure = null;
      this.#readAt = performance.now();
      this.#askedAt = null;
      return status;
    } catch (error) {
      this.#failure = error;
      return this.reader.lastKnown(error);
    }
  }
}
