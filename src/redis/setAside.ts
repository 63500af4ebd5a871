/** setAside: the door to `lua/setAside.lua`. */
import type { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('setAside');

/**
 * Gives keys of one slot their names aside. Resolves to whether each is there, and what it took.
 * @param until nothing is done, and an error returned (`LATE`), after this second of the server's clock
 * @param idleSeconds only those that nobody touched for longer than this; `null`: all
 */
export async function setAside(
  calls: Calls,
  keys: Bulk,
  names: Bulk,
  until: number,
  idleSeconds: number | null = null,
): Promise<{ readonly isAside: readonly boolean[]; readonly ms: number }> {
  const { reply, ms } = await callScript(calls, SCRIPT, [keys, names], [idleSeconds ?? -1, until]);
  return { isAside: (reply as number[]).map((became) => became === 1), ms };
}
