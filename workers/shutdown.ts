/** shutdown: SIGTERM and SIGINT end a process in order; a second signal ends it at once. */
import type { Logger } from '../src/log/logger.ts';
import type { Running } from './worker.ts';

/** Closing must not outlast the grace that process managers usually give. */
const CLOSE_TIMEOUT_MS = 20_000;

/** Several parts as one: closed in turn, last started first, each even when another fails to. */
export const closeAll = (parts: readonly Running[]): Running => ({
  close: async () => {
    for (const part of parts.toReversed()) await part.close().catch(() => {});
  },
});

/** Resolves with the exit code once a signal came and everything was closed, last started first. */
export const untilStopped = async (parts: readonly Running[], logger: Logger): Promise<number> => {
  await new Promise<void>((resolve) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (asked) process.exit(130);
      asked = true;
      logger.info({ signal }, 'stopping');
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
  const timer = setTimeout(() => {
    logger.error('could not stop in time');
    process.exit(1);
  }, CLOSE_TIMEOUT_MS);
  timer.unref();
  await closeAll(parts).close();
  clearTimeout(timer);
  return 0;
};
