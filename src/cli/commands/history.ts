/** history: past runs, newest first. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function historyCommand(): Command {
  return newCommand('history', 'list past runs, newest first')
    .option('--limit <count>', 'how many runs', '20')
    .option('--target <name>', 'only runs of this target')
    .option('--outcome <word>', 'only those that ended so: completed, failed, …')
    .option('--removed', 'only those that removed anything')
    .option('--json', 'print them as JSON, with their reports')
    .action(async (options, command) => {
      const { showHistory } = await import('../actions/history.ts');
      await showHistory(options, command);
    });
}
