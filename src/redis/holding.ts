/** holding: the door to `lua/holding.lua`. */
import { asTaken } from './call/asTaken.ts';
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript, type Script } from './call/script.ts';

const SCRIPT = loadScript('holding');

/** So many blocks are looked at by one call. */
export const MOST_BLOCKS = 500;

/** What a filter in front of a block is asked. */
export interface FilterQuestion {
  /** How many bytes stand before the filter. */
  readonly before: number;
  /** What the last of these is where a filter follows; any block without may hold what is asked for. */
  readonly marker: number;
  /** How many bytes the filter has. */
  readonly bytes: number;
  /** Its bits, the lowest of each byte first, that are all set where it may stand. */
  readonly bits: readonly number[];
}

/** Positions of those blocks in which it may stand; none of one that is gone. `keys` are at most `MOST_BLOCKS`. */
export async function holding(
  calls: Calls,
  keys: readonly string[],
  { before, marker, bytes, bits }: FilterQuestion,
): Promise<number[]> {
  return await positionsOf(calls, SCRIPT, keys, [before, marker, bytes, ...bits]);
}

/** Positions of those blocks that a script tells when it is asked so. */
export async function positionsOf(
  calls: Calls,
  script: Script,
  keys: readonly string[],
  question: readonly number[],
): Promise<number[]> {
  if (keys.length === 0) return [];
  const found = await asTaken(calls, script.name, keys.length, async (from, to) => {
    const names = new Bulk();
    for (const key of keys.slice(from, to)) names.add(Buffer.from(key));
    const { reply } = await callScript(calls, script, [names], question);
    names.clear();
    return (reply as number[]).map((at) => from + at - 1);
  });
  return found.flat();
}
