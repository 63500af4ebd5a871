/** restore: brings back what was swept, from the trash. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function restoreCommand(): Command {
  return newCommand('restore', 'bring back what was swept, from the trash, never over what exists')
    .argument('[id]', 'the coordinator whose things are to come back')
    .option('--run <run>', 'instead of an id: everything that a run took')
    .option('--heartbeats', 'heartbeats too; who stays silent is swept again by the next run')
    .option('--dry-run', 'count what would come back, but write nothing')
    .option('--target <name>', 'from the trash of which target (default "default")')
    .option('--json', 'print the counts as JSON')
    .action(async (id, options, command) => {
      const { bringBack } = await import('../actions/restore.ts');
      await bringBack(id, options, command);
    });
}
