/** leaving: what is to be done before a signal ends the process, where nobody else means to do anything about it. */
import { END_SIGNALS } from '../domain/endSignals.ts';

type Signal = (typeof END_SIGNALS)[number];

/** Whoever asked for the end waits no longer than this for a Redis that does not answer. */
const LEAVE_MS = 2_000;

const last = new Set<() => Promise<void>>();

/** Does `act` before a signal ends the process; returns how to have it forgotten. What it rejects with is nobody's concern by then. */
export function atSignal(act: () => Promise<void>): () => void {
  if (last.size === 0) for (const signal of END_SIGNALS) process.on(signal, onSignal);
  last.add(act);
  return () => {
    last.delete(act);
    if (last.size === 0) for (const signal of END_SIGNALS) process.off(signal, onSignal);
  };
}

function onSignal(signal: Signal): void {
  // Somebody else has work to end, and lives until then.
  if (process.listenerCount(signal) > 1) return;
  // Held, or a process with nothing else to do would end before it has left.
  const late = new Promise<void>((resolve) => {
    setTimeout(resolve, LEAVE_MS);
  });
  void Promise.race([Promise.allSettled([...last].map(async (act) => await act())), late]).then(() => {
    for (const one of END_SIGNALS) process.off(one, onSignal);
    // As if nobody had listened.
    process.kill(process.pid, signal);
  });
}
