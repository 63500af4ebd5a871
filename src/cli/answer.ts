/** answer: one command line, from its words to its exit code. */
import { fail } from './command.ts';
import { CommanderError } from './commander.ts';
import { createProgram } from './program.ts';

/**
 * Does what these words ask for; resolves to the exit code: 0 done, 1 it failed or was refused, 2 wrong usage or
 * configuration. What is to be said has been said by then, on stdout and stderr; nothing is thrown.
 */
export async function answer(words: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...words], { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed its own sentence, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return fail(error);
  }
}
