/** explain: whose a key is, or who a coordinator is, and what a run would do with it now. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function explainCommand(): Command {
  return newCommand('explain', 'say whose a key is, and what a run would do with it now and why', [
    'staleAfter',
    'schema',
  ])
    .argument('<names...>', 'keys or ids of coordinators')
    .option('--target <name>', 'the target that is meant (default "default")')
    .option('--json', 'print it as JSON')
    .action(async (names, options, command) => {
      const { explain } = await import('../actions/explain.ts');
      await explain(names, options, command);
    });
}
