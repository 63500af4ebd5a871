/** run: one cleanup here and now, without the queue. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function runCommand(): Command {
  return newCommand('run', 'clean one target here and now, without the queue', [
    'staleAfter',
    'schema',
    'callBudget',
    'nice',
    'memoryBudget',
  ])
    .option('--target <name>', 'the target to clean (default "default")')
    .option('--dry-run', 'count, but write nothing')
    .option('--force', 'run whatever maxStale, maxStaleFraction and suddenSilence say')
    .option('--yes', 'do not ask before anything is removed')
    .option('--list', 'say who goes: id, swarm, silence, things by family')
    .option('--no-record', "leave no record in the queue's Redis")
    .option('--json', 'print the report as JSON, and with --list each who goes')
    .action(async (options, command) => {
      const { run } = await import('../actions/run.ts');
      await run(options, command);
    });
}
