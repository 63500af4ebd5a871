/** doctor: what is wrong with the surroundings, and what to do about it. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function doctorCommand(): Command {
  return newCommand('doctor', 'check connection, permissions, eviction policy and schema', ['staleAfter', 'schema'])
    .option('--target <name>', 'the target to check (default: every one)')
    .option('--acl', 'print also the least rights that a user needs, as ACL lines')
    .option('--json', 'print the findings as JSON')
    .action(async (options, command) => {
      const { diagnose } = await import('../actions/doctor.ts');
      await diagnose(options, command);
    });
}
