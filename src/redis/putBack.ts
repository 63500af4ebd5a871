/** putBack: the door to `lua/putBack.lua`. */
import type { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('putBack');

/** Where its owner wrote a name anew meanwhile, what stood there before is kept so long, for whoever misses it. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** What became of one that was set aside; `taken`: its name has been written anew, and it stays aside for a day. */
export type PutBack = 'back' | 'gone' | 'taken';

/** Gives keys of one slot that were set aside their own names back, never over something that exists. */
export async function putBack(calls: Calls, names: Bulk, keys: Bulk): Promise<readonly PutBack[]> {
  const { reply } = await callScript(calls, SCRIPT, [names, keys], [KEPT_MS]);
  return (reply as number[]).map((became) => (became === 1 ? 'back' : became === 0 ? 'gone' : 'taken'));
}
