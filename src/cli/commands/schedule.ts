/** schedule: when which target is cleaned. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function scheduleCommand(): Command {
  return newCommand('schedule', 'list the schedules: interval or cron pattern, next and last run')
    .option('--json', 'print them as JSON')
    .action(async (options, command) => {
      const { showSchedules } = await import('../actions/schedule.ts');
      await showSchedules(options, command);
    });
}
