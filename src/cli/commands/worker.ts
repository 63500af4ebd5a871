/** worker: takes runs from the queue until it is stopped. */
import type { Command } from 'commander';
import { createLogger } from '../../log/logger.ts';
import { runWorker } from '../../../workers/runWorker.ts';
import { configOf, Exit, newCommand } from '../command.ts';
import { withPrivateRedis } from '../target.ts';

export const workerCommand = (): Command =>
  newCommand('worker', 'do the runs of the queue; start as many as you like, anywhere', [
    'concurrency',
    'schema',
    'staleAfter',
    'every',
    'cron',
    'callBudget',
    'memoryBudget',
    'nice',
    'host',
    'metricsPort',
    'logLevel',
  ]).action(async (_options: object, command: Command) => {
    const config = await withPrivateRedis(configOf(command));
    const logger = createLogger(config.process.logLevel);
    throw new Exit(await runWorker(config, logger));
  });
