#!/usr/bin/env node
/** The command line. Standard output carries reports and lists, and nothing else; all other words go to stderr. */
import { fail } from './command.ts';
import { CommanderError } from './commander.ts';
import { createProgram } from './program.ts';

const main = async (): Promise<number> => {
  try {
    await createProgram().parseAsync();
    return 0;
  } catch (error) {
    // Commander has printed its own sentence, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return fail(error);
  }
};

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main();
