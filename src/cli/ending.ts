/** ending: what a command does when it is told to end. */
import { END_SIGNALS } from '../domain/endSignals.ts';
import { endAsHungUp } from '../log/hangUp.ts';

/**
 * Calls `end` at the first signal; a second one ends the process as if nobody listened, except SIGHUP: of a terminal that was closed
 * both the system and the shell tell. Returns how to listen no more.
 */
export function onEnd(end: (signal: NodeJS.Signals) => void): () => void {
  const hungUp = () => {};
  const onSignal = (signal: NodeJS.Signals) => {
    endAsHungUp();
    end(signal);
  };
  for (const signal of END_SIGNALS) process.once(signal, onSignal);
  process.on('SIGHUP', hungUp);
  return () => {
    for (const signal of END_SIGNALS) process.off(signal, onSignal);
    process.off('SIGHUP', hungUp);
  };
}
