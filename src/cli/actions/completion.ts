/** completion: prints a script for a shell, made from the program. */
import type { Command } from '../commander.ts';
import { bashCompletion } from '../shell/bash.ts';
import { describeCommands, describeProgram } from '../shell/describe.ts';
import { fishCompletion } from '../shell/fish.ts';
import { zshCompletion } from '../shell/zsh.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** Prints it. */
export function complete(shell: keyof typeof SHELLS, program: Command): void {
  process.stdout.write(SHELLS[shell](describeProgram(program), describeCommands(program)));
}
