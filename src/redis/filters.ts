/** filters: the door to `lua/filters.lua`. */
import { asTaken } from './call/asTaken.ts';
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('filters');

/** So many blocks are looked at by one call. */
export const MOST_FILTERS = 250;

/** Where the filter of a block stands. */
export interface FilterPlace {
  /** How many bytes stand before its length, which stands before it. */
  readonly before: number;
  /** How many bytes it has at most. */
  readonly mostBytes: number;
}

/** The filter of each block, a character a byte; empty for one that is gone or has none. `keys` are at most `MOST_FILTERS`. */
export async function filters(calls: Calls, keys: readonly string[], place: FilterPlace): Promise<string[]> {
  if (keys.length === 0) return [];
  const found = await asTaken(calls, SCRIPT.name, keys.length, async (from, to) => {
    const names = new Bulk();
    for (const key of keys.slice(from, to)) names.add(Buffer.from(key));
    const { reply } = await callScript(calls, SCRIPT, [names], [place.before, place.mostBytes]);
    names.clear();
    return reply as string[];
  });
  return found.flat();
}
