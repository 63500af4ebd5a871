/** populate: sample coordinators, to try things on. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function populateCommand(): Command {
  return newCommand('populate', 'write sample coordinators into an empty database', ['schema'])
    .requiredOption('--coordinators <count>', 'how many coordinators')
    .requiredOption('--stale <count>', 'how many of them are stale')
    .option('--acks <count>', 'acknowledgements of each', '2')
    .option('--idempotency <count>', 'idempotency keys that each sends to its neighbour', '1')
    .option('--ttl <duration>', 'heartbeats expire after this (default: never)')
    .option('--target <name>', 'the target to write to (default "default")')
    .option('--force', 'write even when the database is not empty')
    .action(async (options, command) => {
      const { fill } = await import('../actions/populate.ts');
      await fill(options, command);
    });
}
