/** patience: goes on where Redis could not serve for a moment, or the connection to it was cut.
 *
 *  Owns      what is tried again, how often, and after which pause.
 *  Promises  a run goes on only with the server it began with: see link. It ends within seconds where that does not come back.
 */
import { Failure } from '../../domain/failure.ts';
import { ConnectionLost, isLate } from '../call/lost.ts';
import type { ServerCalls } from '../call/calls.ts';
import { isPassing } from '../connection/unready.ts';
import type { Link } from './link.ts';
import { retrying } from './retrying.ts';

/**
 * So often in a row one call may be cut off. A way that ends every connection after some bytes does so in the midst of several
 * calls that are under way at once; those before this one are answered first.
 */
const MOST_LOSSES = 30;

export class Patience {
  constructor(
    private readonly link: Link,
    private readonly calls: ServerCalls,
    private readonly signal: AbortSignal,
    /** Whether a server that stands still is left at once: somebody else waits for the place of this run. */
    private readonly leavesSilent = false,
  ) {}

  /**
   * Calls `attempt` until it succeeds. Answers that pass are waited for, a connection that was cut is opened anew; all other
   * errors are thrown. Throws `INTERRUPTED` instead of trying again once the run was told to end.
   * @param onSetback told of each failure that is followed by another attempt
   */
  async steadily<T>(attempt: () => Promise<T>, onSetback: () => void = () => {}): Promise<T> {
    let losses = 0;
    return await retrying(attempt, {
      // Whoever was cut off has waited for the new connection.
      shouldConsumeRetry: ({ error }) => !(error instanceof ConnectionLost),
      // Not `signal`: it would also throw away the result of a call that succeeded while the run was told to end.
      shouldRetry: async ({ error }) => {
        // Whoever did not answer was waited for; on a connection that the way has forgotten nobody ever will.
        const after = isLate(error) ? await this.link.replaceIfForgotten() : null;
        if (after === 'silent' && this.leavesSilent) return false;
        const isLost = error instanceof ConnectionLost || after === 'replaced';
        if (isLost ? ++losses > MOST_LOSSES : !isLate(error) && !isPassing(error)) return false;
        this.#stopIfInterrupted();
        onSetback();
        if (isLost) await this.#resume();
        return true;
      },
    });
  }

  async #resume(): Promise<void> {
    try {
      await this.link.reopen();
    } catch (error) {
      this.#stopIfInterrupted();
      throw error;
    }
    this.calls.goOver(this.link.redis);
  }

  #stopIfInterrupted(): void {
    if (this.signal.aborted) throw new Failure('INTERRUPTED', 'the run was interrupted');
  }
}
