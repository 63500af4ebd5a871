/** completion: what a shell needs to complete the words of a command line. */
import { newCommand } from '../command.ts';
import type { Command } from '../commander.ts';
import { Argument } from '../commander.ts';

export function completionCommand(): Command {
  return newCommand('completion', 'print what a shell needs to complete command lines')
    .addArgument(new Argument('<shell>', 'which one').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  $ source <(stalesweep completion bash)      # in ~/.bashrc
  $ source <(stalesweep completion zsh)       # in ~/.zshrc, after compinit
  $ stalesweep completion fish | source       # in ~/.config/fish/config.fish`,
    )
    .action(async (shell: 'bash' | 'zsh' | 'fish', _options, command: Command) => {
      const { complete } = await import('../actions/completion.ts');
      if (command.parent !== null) complete(shell, command.parent);
    });
}
