/** left: what is left of a chunk, which tells whether it has run. */
import { Bulk } from '../call/bulk.ts';
import type { Calls } from '../call/calls.ts';
import { countExisting } from '../keyspace/keyspace.ts';
import type { SweepChunk, SweepResult } from '../sweep.ts';

/** How many keys of each family there were before a chunk was sent; `null`: nobody looked. */
export type Before = readonly number[] | null;

/**
 * Whether a chunk that was sent before, and now found something changed, ran then: all heartbeats that were to go are gone or
 * others, and with them its keys, but for what those who came back have written since. Heartbeats that only expired leave all.
 */
export async function hasRun(
  calls: Calls,
  { heartbeats, families }: SweepChunk,
  result: SweepResult,
  before: Before,
): Promise<boolean> {
  if (result.swept || heartbeats === 0) return false;
  const going = (positions: readonly number[]) => positions.filter((at) => at < heartbeats).length;
  const [vanished, revived] = [going(result.vanished), going(result.revived)];
  if (vanished === 0 || vanished + revived < heartbeats) return false;
  const left = sumOf(await countEach(calls, families));
  return left === 0 || (revived > 0 && before !== null && left < sumOf(before));
}

/** Whether any of the keys exists. */
export async function isLeft(calls: Calls, families: readonly Bulk[]): Promise<boolean> {
  return sumOf(await countEach(calls, families)) > 0;
}

/** How many keys of each family exist. SCAN may have returned one twice, and EXISTS would count it twice. */
export async function countEach(calls: Calls, families: readonly Bulk[]): Promise<readonly number[]> {
  const counts = families.map(async (keys) => {
    const names = Bulk.of(new Set(keys.texts()));
    const { count } = await countExisting(calls, names);
    names.clear();
    return count;
  });
  return await Promise.all(counts);
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
