/** runDashboard: the process behind `stalesweep dashboard`, and that part of `stalesweep start`. */
import type { Config } from '../src/config/resolve.ts';
import { createDashboard, serve } from '../src/dashboard/app.ts';
import { followRuns } from '../src/dashboard/followRuns.ts';
import { Ledger } from '../src/ledger/ledger.ts';
import type { Logger } from '../src/log/logger.ts';
import { Outage } from '../src/log/outages.ts';
import { Metrics } from '../src/metrics/registry.ts';
import { followClock } from '../src/queue/clock.ts';
import { tellOfConfig } from './configuration.ts';
import { openQueues } from '../src/queue/queues.ts';
import { closeAll, untilStopped } from './shutdown.ts';
import { type Running, watchQueue } from './worker.ts';

export interface RunningDashboard extends Running {
  /** Where it is, without a path. */
  readonly url: string;
}

/** A machine that slept goes on with the time at which it fell asleep, until it asks again. */
const FOLLOW_EVERY_MS = 5_000;

/** Serves the dashboard. Fails with a sentence when it must not, or can't, listen; nothing stays open then. */
export async function startDashboard(
  config: Config,
  metrics: Metrics,
  logger: Logger,
  outage = new Outage(logger, 'queue'),
): Promise<RunningDashboard> {
  const parts: Running[] = [];
  try {
    const watch = watchQueue(outage);
    const queues = await openQueues(config.queue, watch);
    parts.push(queues);
    await followClock(queues.connection);
    const clock = setInterval(() => void followClock(queues.connection), FOLLOW_EVERY_MS);
    parts.push({ close: async () => clearInterval(clock) });
    const dashboard = createDashboard({ config, queues, metrics, logger });
    parts.push(dashboard);
    const ledger = new Ledger(queues.connection, queues.prefix, config.process.ledger);
    const { queue, targets } = config;
    parts.push(await followRuns({ queue, watch, queues, ledger, targets, metrics, logger }));
    const served = await serve(dashboard.app, config.process.host, config.process.port);
    parts.push(served);
    logger.info({ url: served.url }, 'dashboard started');
    return { url: served.url, close: closeAll(parts).close };
  } catch (error) {
    await closeAll(parts).close();
    throw error;
  }
}

/** Serves until a signal comes; resolves with the exit code. */
export async function runDashboard(config: Config, logger: Logger): Promise<number> {
  return await untilStopped(async (parts) => {
    tellOfConfig(config, logger);
    parts.push(await startDashboard(config, new Metrics(), logger));
  }, logger);
}
