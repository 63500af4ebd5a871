/** shutdown: SIGTERM, SIGINT and SIGHUP end a process in order, from its first moment on; a second signal ends it at once. */
import { once } from 'node:events';
import { END_SIGNALS } from '../src/domain/endSignals.ts';
import { endAsHungUp } from '../src/log/hangUp.ts';
import type { Logger } from '../src/log/logger.ts';
import { Outage } from '../src/log/outages.ts';
import { startTracing } from '../src/telemetry/tracing.ts';
import type { Running } from './worker.ts';

/** When everything is closed, a connection that leads nowhere may linger; it keeps nobody from leaving for longer than this. */
const LINGER_MS = 1_000;
/** Closing must not outlast the grace that process managers usually give, the shortest of which is ten seconds, on a busy machine too. */
const CLOSE_TIMEOUT_MS = 6_000;
/** How much of it the last traces may take. */
const TRACES_MS = 2_000;

/** Several parts as one: closed in turn, last started first, each even when another fails to. */
export function closeAll(parts: readonly Running[]): Running {
  return {
    close: async () => {
      for (const part of parts.toReversed()) await part.close().catch(() => {});
    },
  };
}

/** Aborted by the first signal. */
function listen(logger: Logger): AbortSignal {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      // Of a terminal that was closed both the system and the shell tell.
      if (signal === 'SIGHUP') return;
      process.exit(130);
    }
    logger.info({ signal }, 'stopping');
    stop.abort();
    endAsHungUp();
    const late = setTimeout(() => {
      // Whatever hangs, nothing is lost: a run that could not be handed back is taken over.
      logger.warn('not everything could be closed in time');
      process.exit(0);
    }, CLOSE_TIMEOUT_MS);
    late.unref();
  };
  for (const signal of END_SIGNALS) process.on(signal, onSignal);
  return stop.signal;
}

/** The traces of a process that stays. */
async function traces(logger: Logger): Promise<Running> {
  const outage = new Outage(logger, 'traces');
  const watch = {
    warn: (sentence: string) => logger.warn(sentence),
    failed: (error: Error) => outage.failed(error),
    restored: () => outage.restored(),
  };
  return await startTracing(process.env, watch, TRACES_MS);
}

/**
 * Starts parts, runs until a signal comes, and closes them, last started first; resolves with the exit code. `start`
 * adds each part as soon as there is something to close. When the signal comes while it is at work, it need not go on:
 * nothing of it is interrupted, or something half started would stay; it looks at `stop` between two steps.
 */
export async function untilStopped(
  start: (parts: Running[], stop: AbortSignal) => Promise<void>,
  logger: Logger,
): Promise<number> {
  const parts: Running[] = [];
  const stop = listen(logger);
  try {
    parts.push(await traces(logger));
    await start(parts, stop);
    if (!stop.aborted) await once(stop, 'abort');
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    await closeAll(parts).close();
  }
  setTimeout(() => process.exit(0), LINGER_MS).unref();
  return 0;
}
