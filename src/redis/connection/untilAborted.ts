/** untilAborted: a signal as something to race with. */
import { once } from 'node:events';

/** Never resolves; fails with the reason of `signal` once that is aborted. Listens no longer than until `settled` is. */
export async function untilAborted(signal: AbortSignal, settled: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort', { signal: settled });
  throw signal.reason;
}
