/** worker: takes runs from the queue until it is stopped. */
import { loading, newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function workerCommand(): Command {
  return newCommand('worker', 'do the runs of the queue; start as many as you like, anywhere', [
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
  ]).action(async (options, command) => {
    const { work } = await loading(async () => await import('../actions/worker.ts'));
    await work(options, command);
  });
}
