/** start: everything in one process. */
import type { Command } from 'commander';
import { runStart } from '../../../workers/runStart.ts';
import { createLogger } from '../../log/logger.ts';
import { configOf, Exit, newCommand } from '../command.ts';
import { renderReport } from '../render.ts';
import { onRedis } from '../target.ts';

export const startCommand = (): Command =>
  newCommand('start', 'everything in one process: schedules, one worker, the dashboard', [
    'concurrency',
    'schema',
    'staleAfter',
    'every',
    'cron',
    'callBudget',
    'memoryBudget',
    'nice',
    'host',
    'port',
    'logLevel',
  ]).action(async ({ port }: { port?: string }, command: Command) => {
    const config = configOf(command);
    const logger = createLogger(config.process.logLevel);
    const portIsChosen = port !== undefined || Boolean(process.env.STALESWEEP_PORT);
    const say = (text: string) => console.log(text);
    throw new Exit(await runStart(config, logger, { portIsChosen, say, render: renderReport, onRedis }));
  });
