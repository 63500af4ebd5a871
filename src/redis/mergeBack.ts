/** mergeBack: the door to `lua/mergeBack.lua`. */
import { asTaken } from './call/asTaken.ts';
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('mergeBack');

/** What can't be put together with what its owner wrote anew is kept so long, for whoever misses it. */
const KEPT_MS = 24 * 60 * 60 * 1000;
const MOST_AT_ONCE = 100;

/**
 * Gives back what is in a key that was set aside, where a new one has been begun under its own name: sets, hashes, sorted sets and
 * lists are put together, where the new one has an element already it stays as it is. Resolves to whether that could be: a string
 * that was written anew has its new value, and what stood there stays aside for a day.
 * @param name its name aside, as a byte string
 * @param key its own
 * @param kept what it is called for that day, of the same slot: it must not come back once its owner has removed the new one
 */
export async function mergeBack(calls: Calls, name: string, key: string, kept: string): Promise<boolean> {
  for (let cursor = '0'; ; ) {
    const { fields, next } = await someFieldsOf(calls, name, cursor);
    cursor = next;
    // Of what is no hash there are none to be named.
    const replies = await asTaken(calls, SCRIPT.name, Math.max(1, fields.length), async (from, to) => {
      const keys = Bulk.of([name, key, kept]);
      const some = fields.slice(from, to);
      const { reply } = await callScript(calls, SCRIPT, [keys], [KEPT_MS, MOST_AT_ONCE, ...some]);
      keys.clear();
      return reply;
    });
    const reply = replies.at(-1);
    if (reply !== 0) return reply === 1;
  }
}

/** Of a hash, from a cursor on; none of anything else. */
async function someFieldsOf(
  calls: Calls,
  name: string,
  cursor: string,
): Promise<{ readonly fields: readonly string[]; readonly next: string }> {
  if ((await calls.send('type', [name])).reply !== 'hash') return { fields: [], next: '0' };
  for (let at = cursor; ; ) {
    const { reply } = await calls.send('hscan', [name, at, 'COUNT', MOST_AT_ONCE]);
    const [next, pairs] = reply as [string, string[]];
    // There may be many empty places in what was once larger.
    if (pairs.length > 0 || next === '0') return { fields: pairs.filter((_, i) => i % 2 === 0), next };
    at = next;
  }
}
