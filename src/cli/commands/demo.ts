/** demo: everything in one process, on a Redis of its own. */
import { loading, newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function demoCommand(): Command {
  return newCommand(
    'demo',
    'what start does, on a private Redis with a sample that lives; nothing of yours is touched',
    ['host', 'port', 'logLevel'],
  ).action(async (options, command) => {
    const { demo } = await loading(async () => await import('../actions/demo.ts'));
    await demo(options, command);
  });
}
