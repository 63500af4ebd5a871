/** answer: one command line, from its words to its exit code. */
import { begins, fail, isStaying } from './command.ts';
import { CommanderError } from './commander.ts';
import { say } from './output/say.ts';
import { createProgram } from './program.ts';

/** Says to people of a Redis that does not answer, once, that it is waited for; programs get one sentence, once it failed. Returns how to stop that. */
async function sayWhoIsLate(): Promise<() => void> {
  if (!process.stderr.isTTY) return () => {};
  const { lateAnswers } = await import('../redis/connection/late.ts');
  const said = new Set<unknown>();
  const listen = (where: unknown) => {
    // Who stays has a log, and runs that fail.
    if (isStaying() || said.has(where)) return;
    said.add(where);
    say(`Redis at ${where} does not answer yet; waiting for it`);
  };
  lateAnswers.subscribe(listen);
  return () => lateAnswers.unsubscribe(listen);
}

/**
 * Does what these words ask for; resolves to the exit code: 0 done, 1 it failed or was refused, 2 wrong usage or
 * configuration. What is to be said has been said by then, on stdout and stderr; nothing is thrown.
 */
export async function answer(words: readonly string[]): Promise<number> {
  begins();
  const unlisten = await sayWhoIsLate();
  try {
    await createProgram().parseAsync([...words], { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed its own sentence, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return fail(error);
  } finally {
    unlisten();
  }
}
