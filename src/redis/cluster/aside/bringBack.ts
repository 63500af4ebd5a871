/** bringBack: keys of one slot that were set aside, back where they belong, whatever has been begun there meanwhile. */
import type { Bulk } from '../../call/bulk.ts';
import type { Calls } from '../../call/calls.ts';
import { mergeBack } from '../../mergeBack.ts';
import { putBack } from '../../putBack.ts';
import { keptNameOf } from './names.ts';

/**
 * Gives them their own names back; into a set, hash, sorted set or list that was begun anew meanwhile goes what it lacks. Resolves to how
 * many are back, and to the names of those of which that can't be: what stood there stays aside for a day.
 * @param names their names aside
 * @param keys their own
 */
export async function bringBack(
  calls: Calls,
  names: Bulk,
  keys: Bulk,
): Promise<{ readonly back: number; readonly taken: readonly string[] }> {
  const became = await putBack(calls, names, keys);
  const taken: string[] = [];
  let back = became.filter((what) => what === 'back').length;
  if (!became.includes('taken')) return { back, taken };
  const [aside, own] = [names.texts(), keys.texts()];
  for (const [i, what] of became.entries()) {
    if (what !== 'taken') continue;
    const name = aside[i] as string;
    if (await mergeBack(calls, name, own[i] as string, keptNameOf(name))) back++;
    else taken.push(own[i] as string);
  }
  return { back, taken };
}
