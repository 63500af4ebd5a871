/** putBack: the door to `lua/putBack.lua`. */
import type { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('putBack');

/** What became of one that was set aside; `taken`: its name has been written anew, and it is still aside. */
export type PutBack = 'back' | 'gone' | 'taken';

/** Gives keys of one slot that were set aside their own names back, never over something that exists. */
export async function putBack(calls: Calls, names: Bulk, keys: Bulk): Promise<readonly PutBack[]> {
  const { reply } = await callScript(calls, SCRIPT, [names, keys], []);
  return (reply as number[]).map((became) => (became === 1 ? 'back' : became === 0 ? 'gone' : 'taken'));
}
