/** stop: ends a run in progress. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function stopCommand(): Command {
  return newCommand('stop', 'end a run in progress after its chunk; what it removed stands in its report')
    .argument('[run]', 'which run; otherwise the one of the target')
    .option('--target <name>', 'the target that is meant (default "default")')
    .option('--json', 'print which run as JSON')
    .action(async (run, options, command) => {
      const { stop } = await import('../actions/stop.ts');
      await stop(run, options, command);
    });
}
