/** sayWord: a word in a set, and the door to `lua/sayWord.lua`, which has it said where memory is full. */
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('sayWord');

/** Puts a word into a set; where that has it already, nothing happens. Rejects with the error of Redis. */
export async function sayWord(calls: Calls, key: string, word: string): Promise<void> {
  try {
    await calls.send('sadd', [key, word]);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('OOM'))) throw error;
    const keys = Bulk.of([key]);
    await callScript(calls, SCRIPT, [keys], [word]);
    keys.clear();
  }
}
