/** patience: how long a run waits for a ledger that does not answer, and what it says of that. */
import { setTimeout as pause } from 'node:timers/promises';
import { sentenceOf } from '../../domain/failure.ts';
import { isRefusal } from '../../redis/rights/refusals.ts';

const NO_ANSWER = new Error('its Redis did not answer in time');
const AGAIN_MS = 250;

/** Resolves to what `act` does, and rejects when that takes longer than so many ms. */
export async function within<T>(ms: number, act: () => Promise<T>): Promise<T> {
  const settled = new AbortController();
  const late = pause(ms, undefined, { signal: settled.signal }).then(() => {
    throw NO_ANSWER;
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    settled.abort();
    late.catch(() => {});
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

/** Tells of the first trouble, in one line; of the same ledger there is no second one to tell. */
export class Trouble {
  #told = false;

  constructor(private readonly warn: (sentence: string) => void) {}

  tell(what: string, error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    this.warn(`${what}: ${sentenceOf(error)}`);
  }
}
