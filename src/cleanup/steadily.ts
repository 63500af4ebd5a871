/** steadily: a call that is tried again when Redis could not serve it for a moment. */
import { type RunContext, stopIfInterrupted } from './context.ts';
import type { Pace } from './pace.ts';

/** Redis is there but busy, loading, changing roles or not answering: what was asked may be asked again. */
const PASSING = /^(BUSY|LOADING|TRYAGAIN|MASTERDOWN|CLUSTERDOWN)\b|Command timed out/;

/** With pauses of 0.1 to 2 s between them, long enough to outlive a script that Redis reports as BUSY after 5 s. */
const RETRIES = 6;

/** Calls `attempt` until it succeeds; passing failures shrink the pace and are retried, all others are thrown. */
export const steadily = async <T>(run: RunContext, pace: Pace, attempt: () => Promise<T>): Promise<T> => {
  try {
    return await attempt();
  } catch (error) {
    let first: unknown = error;
    const again = async (): Promise<T> => {
      if (first === undefined) return await attempt();
      const failure = first;
      first = undefined;
      throw failure;
    };
    // Loaded when first needed, which for most runs is never.
    const { default: pRetry } = await import('p-retry');
    return await pRetry(again, {
      retries: RETRIES,
      minTimeout: 100,
      maxTimeout: 2_000,
      randomize: true,
      // Not `signal`: it would also throw away the result of a call that succeeded while the run was told to end.
      shouldRetry: ({ error: failure }) => {
        if (!PASSING.test(failure.message)) return false;
        stopIfInterrupted(run);
        pace.backOff();
        return true;
      },
    });
  }
};
