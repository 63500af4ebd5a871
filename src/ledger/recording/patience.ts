/** patience: how long a run waits for a ledger that does not answer, and what it says of that. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { isRefusal, wordsOf } from '../../redis/rights/refusals.ts';
import { isAway } from '../away.ts';

const NO_ANSWER = new Error('its Redis did not answer in time');
const AGAIN_MS = 250;

/** Resolves to what `act` does, and rejects when that takes longer than so many ms. */
export async function within<T>(ms: number, act: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  // No signal: each that is aborted makes an error with its stack, which takes longer than to write a batch.
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(NO_ANSWER), ms);
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Tries `act` again and again until it succeeds, for so many ms, as it is after each try; rejects as the last try did, or once it is
 * refused.
 */
export async function insist(ms: () => number, act: () => Promise<void>): Promise<void> {
  for (const begunAt = performance.now(); ; ) {
    const leftMs = () => begunAt + ms() - performance.now();
    try {
      return await within(Math.max(0, leftMs()), act);
    } catch (error) {
      if (isRefusal(error) || leftMs() <= AGAIN_MS) throw error;
      await pause(AGAIN_MS);
    }
  }
}

/**
 * Tries `act` again and again until it succeeds, however long Redis is away; rejects as `act` does with what no waiting mends, and once
 * `until` is aborted.
 */
export async function untilTaken(until: AbortSignal, act: () => Promise<void>): Promise<void> {
  const settled = new AbortController();
  const aborted = once(until, 'abort', { signal: settled.signal }).then(() => until.throwIfAborted());
  aborted.catch(() => {});
  try {
    for (;;) {
      until.throwIfAborted();
      try {
        return await Promise.race([act(), aborted]);
      } catch (error) {
        if (!isAway(error)) throw error;
      }
      await Promise.race([pause(AGAIN_MS), aborted]);
    }
  } finally {
    settled.abort();
  }
}

/** Tells of the first trouble, in one line; of the same ledger there is no second one to tell. */
export class Trouble {
  #told = false;

  constructor(private readonly warn: (sentence: string) => void) {}

  tell(what: string, error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    this.warn(`${what}: ${wordsOf(error)}`);
  }
}
