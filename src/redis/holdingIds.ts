/** holding ids: the door to `lua/holdingIds.lua`. */
import type { Calls } from './call/calls.ts';
import { loadScript } from './call/script.ts';
import { positionsOf } from './holding.ts';

const SCRIPT = loadScript('holdingIds');

const MOST_BLOCKS = 500;
/** Of each block one id is hardly ever asked for more than two bits: so many take about a millisecond. */
const MOST_QUESTIONS = 4_000;

/** What filters that are as long as their blocks have ids are asked. */
export interface IdsQuestion {
  /** How many bytes stand before the length of a filter, which stands before the filter. */
  readonly before: number;
  /** How many bytes a filter has at most. */
  readonly mostBytes: number;
  /** How many bits each id sets. */
  readonly bitsPerId: number;
  /** Two for each id, of which all its bits are made. At least one id. */
  readonly hashes: readonly (readonly [number, number])[];
}

/** So many blocks are looked at by one call. */
export function mostBlocksFor({ hashes }: IdsQuestion): number {
  return Math.max(1, Math.min(MOST_BLOCKS, Math.floor(MOST_QUESTIONS / hashes.length)));
}

/** Positions of those blocks in which one of the ids may stand; none of one that is gone. `keys` are at most `mostBlocksFor` them. */
export async function holdingIds(
  calls: Calls,
  keys: readonly string[],
  { before, mostBytes, bitsPerId, hashes }: IdsQuestion,
): Promise<number[]> {
  return await positionsOf(calls, SCRIPT, keys, [before, mostBytes, bitsPerId, ...hashes.flat()]);
}
