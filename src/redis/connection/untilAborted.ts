/** untilAborted: a signal as something to race with. */
import { once, setMaxListeners } from 'node:events';

/** Never resolves; fails with the reason of `signal` once that is aborted. Listens no longer than until `settled` is. */
export async function untilAborted(signal: AbortSignal, settled: AbortSignal): Promise<never> {
  // One a connection, and there may be hundreds of targets: that is no leak.
  setMaxListeners(0, signal);
  if (!signal.aborted) await once(signal, 'abort', { signal: settled });
  throw signal.reason;
}
