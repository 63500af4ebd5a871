/** start: everything in one process. */
import { loading, newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function startCommand(): Command {
  return newCommand('start', 'everything in one process: schedules, one worker, the dashboard', [
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
  ]).action(async (options, command) => {
    const { start } = await loading(async () => await import('../actions/start.ts'));
    await start(options, command);
  });
}
