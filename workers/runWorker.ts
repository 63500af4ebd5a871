/** runWorker: the process behind `stalesweep worker`. */
import type { Config } from '../src/config/resolve.ts';
import type { Logger } from '../src/log/logger.ts';
import { Outage } from '../src/log/outages.ts';
import { Metrics } from '../src/metrics/registry.ts';
import { tellOfConfig } from './configuration.ts';
import { openQueues } from '../src/queue/queues.ts';
import { closeAll, untilStopped } from './shutdown.ts';
import { type Running, startWorker, watchQueue } from './worker.ts';

/** Serves this worker's own metrics and health. */
async function startMonitor(
  config: Config,
  port: number,
  metrics: Metrics,
  logger: Logger,
  outage: Outage,
): Promise<Running> {
  // Pages take longer to load than all that a worker without them needs.
  const { createMonitor, serve } = await import('../src/dashboard/app.ts');
  const queues = await openQueues(config.queue, watchQueue(outage));
  const monitor = createMonitor({ config, queues, metrics, logger });
  try {
    const served = await serve(monitor.app, config.process.host, port, 'STALESWEEP_METRICS_PORT');
    logger.info({ url: `${served.url}/metrics` }, 'metrics served');
    return closeAll([queues, monitor, served]);
  } catch (error) {
    await closeAll([queues, monitor]).close();
    throw error;
  }
}

/** Works until a signal comes; resolves with the exit code. */
export async function runWorker(config: Config, logger: Logger): Promise<number> {
  return await untilStopped(async (parts, stop) => {
    tellOfConfig(config, logger);
    const outage = new Outage(logger, 'queue');
    const metrics = new Metrics();
    for (const { name, schema } of config.targets.values()) metrics.expect(name, schema.families);
    const { metricsPort } = config.process;
    if (metricsPort !== undefined) parts.push(await startMonitor(config, metricsPort, metrics, logger, outage));
    const onEnded: Parameters<typeof startWorker>[0]['onEnded'] = (report, target) =>
      report === null ? metrics.failed(target) : metrics.reported(report);
    stop.throwIfAborted();
    parts.push(await startWorker({ config, metrics, logger, outage, onEnded }));
  }, logger);
}
