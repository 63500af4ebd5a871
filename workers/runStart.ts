/** runStart: the process behind `stalesweep start`: schedules, one worker, the dashboard. */
import type { Config } from '../src/config/resolve.ts';
import type { Logger } from '../src/log/logger.ts';
import { Outage } from '../src/log/outages.ts';
import { Metrics } from '../src/metrics/registry.ts';
import { tellOfConfig } from './configuration.ts';
import { startDashboard } from './runDashboard.ts';
import { untilStopped } from './shutdown.ts';
import { startWorker } from './worker.ts';

/**
 * Runs until a signal comes; resolves with the exit code.
 * @param say told, in order, what whoever started it should see
 */
export async function runStart(config: Config, logger: Logger, say: (text: string) => void): Promise<number> {
  return await untilStopped(async (parts, stop) => {
    tellOfConfig(config, logger);
    const metrics = new Metrics();
    const outage = new Outage(logger, 'queue');
    const dashboard = await startDashboard(config, metrics, logger, outage);
    parts.push(dashboard);
    stop.throwIfAborted();
    // The dashboard counts the runs of every worker, this one's among them.
    parts.push(await startWorker({ config, metrics, logger, outage }));
    stop.throwIfAborted();
    say(`dashboard: ${dashboard.url}/`);
    say('Ctrl-C stops everything');
  }, logger);
}
