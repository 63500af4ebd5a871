/** status: who is alive, and how the runs are. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function statusCommand(): Command {
  return newCommand('status', 'show who is alive: active, at risk, stale; things by family; last and next run')
    .option('--target <name>', 'only this target')
    .option('--watch', 'go on showing it, every two seconds, until Ctrl-C')
    .option('--json', 'print it as JSON')
    .action(async (options, command) => {
      const { showStatus } = await import('../actions/status.ts');
      await showStatus(options, command);
    });
}
