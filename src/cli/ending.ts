/** ending: what a command does when it is told to end. */
import { END_SIGNALS } from '../domain/endSignals.ts';

/**
 * Calls `end` at the first signal; a second one ends the process as if nobody listened, except SIGHUP: of a terminal that was closed
 * both the system and the shell tell. Returns how to listen no more.
 */
export function onEnd(end: (signal: NodeJS.Signals) => void): () => void {
  const hungUp = () => {};
  for (const signal of END_SIGNALS) process.once(signal, end);
  process.on('SIGHUP', hungUp);
  return () => {
    for (const signal of END_SIGNALS) process.off(signal, end);
    process.off('SIGHUP', hungUp);
  };
}
