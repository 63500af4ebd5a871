/** enqueue: a run by hand, through the queue. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function enqueueCommand(): Command {
  return newCommand('enqueue', 'ask for a run through the queue; a worker does it')
    .option('--target <name>', 'the target to clean (default "default")')
    .option('--dry-run', 'count, but write nothing')
    .option('--stale-after <duration>', 'the silence after which a coordinator is stale, e.g. 10m')
    .option('--force', 'run whatever maxStale, maxStaleFraction and suddenSilence say')
    .option('--wait', 'wait for the run and print its report')
    .option('--json', 'print {"run": id}, with --wait the report')
    .action(async (options, command) => {
      const { ask } = await import('../actions/enqueue.ts');
      await ask(options, command);
    });
}
