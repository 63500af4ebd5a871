/** hangUp: how a process ends whose terminal was closed. */
import { isatty } from 'node:tty';

const STANDARD = [0, 1, 2] as const;
const terminals = STANDARD.filter((fd) => isatty(fd));

/** Whether one of the terminals that this process began with is there no more. */
function isHungUp(): boolean {
  return !terminals.every((fd) => isatty(fd));
}

/**
 * Has this process end by SIGHUP once all else is done, where its terminal is gone: Node.js would abort, since it can't put that back
 * as it was. To be called when it is told to end, after whatever else listens for its exit.
 */
export function endAsHungUp(): void {
  if (terminals.length === 0) return;
  process.once('exit', () => {
    if (!isHungUp()) return;
    process.removeAllListeners('SIGHUP');
    process.kill(process.pid, 'SIGHUP');
  });
}
