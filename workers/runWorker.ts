/** runWorker: the process behind `stalesweep worker`. */
import type { Config } from '../src/config/resolve.ts';
import type { Logger } from '../src/log/logger.ts';
import { Metrics } from '../src/metrics/registry.ts';
import { untilStopped } from './shutdown.ts';
import { type Running, startWorker } from './worker.ts';

/** Works until a signal comes; resolves with the exit code. */
export const runWorker = async (config: Config, logger: Logger): Promise<number> => {
  const metrics = new Metrics();
  const parts: Running[] = [
    await startWorker({
      config,
      metrics,
      logger,
      onEnded: (report, target) => (report === null ? metrics.failed(target) : metrics.reported(report)),
    }),
  ];
  return await untilStopped(parts, logger);
};
