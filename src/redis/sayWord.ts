/** sayWord: a word in a set, and the door to `lua/sayWord.lua`, which has it said where memory is full. */
import { isForMemory } from './call/answerCode.ts';
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';
import type { Argument } from './call/wire.ts';

const SCRIPT = loadScript('sayWord');

/** A stream in the same slot, which is there until this instant, in ms of the server's clock. */
export interface Pass {
  readonly stream: string;
  readonly until: number;
}

/**
 * Puts a word into a set, and opens the pass that goes with it; where the set has the word already, that alone. Rejects with the error of
 * Redis.
 */
export async function sayWord(calls: Calls, key: string, word: string, pass: Pass | null = null): Promise<void> {
  const byScript = async (stream: readonly string[], args: readonly Argument[]) => {
    const keys = Bulk.of([key, ...stream]);
    await callScript(calls, SCRIPT, [keys], [word, ...args]);
    keys.clear();
  };
  if (pass !== null) return await byScript([pass.stream], [pass.until]);
  try {
    await calls.send('sadd', [key, word]);
  } catch (error) {
    if (!isForMemory(error)) throw error;
    await byScript([], []);
  }
}
