/** keyspace: reading a target: pages of key names, heartbeat values, what exists. Writes nothing. */
import type { Bulk } from '../call/bulk.ts';
import type { Answer, Calls } from '../call/calls.ts';
import { asTaken, askForHalf, mostAtOnce } from '../call/asTaken.ts';
import { isTooLarge } from '../rights/tooLarge.ts';

export interface Page {
  readonly cursor: string;
  readonly keys: Buffer[];
  /** So many slots it was asked for: what the server takes. */
  readonly count: number;
  readonly ms: number;
}

/** One SCAN call, for so many slots or as many as the server takes. The walk is over when the cursor comes back as `0`. */
export async function scanPage(calls: Calls, cursor: string, pattern: string, slots: number): Promise<Page> {
  for (;;) {
    const count = Math.min(slots, mostAtOnce(calls, 'scan'));
    try {
      const { reply, ms } = await calls.send('scan', [cursor, 'MATCH', pattern, 'COUNT', count], null);
      const [next, keys] = reply as [Buffer, Buffer[]];
      return { cursor: next.toString('latin1'), keys, count, ms };
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      askForHalf(calls, 'scan', count, error);
    }
  }
}

/** MGET, in as many calls as the server takes: `null` where a key is missing or not a string; and what the slowest took. */
export async function readValues(calls: Calls, keys: Bulk): Promise<{ values: (Buffer | null)[]; ms: number }> {
  const answers = await inCalls(calls, 'mget', keys, null);
  const [values = [], ...others] = answers.map(({ reply }) => reply as (Buffer | null)[]);
  return { values: values.concat(...others), ms: Math.max(...answers.map(({ ms }) => ms)) };
}

async function inCalls(calls: Calls, name: string, keys: Bulk, encoding: 'latin1' | null): Promise<Answer[]> {
  return await asTaken(calls, name, keys.count, async (from, to) => {
    if (to - from === keys.count) return await calls.send(name, [keys], encoding);
    const some = keys.slice(from, to);
    try {
      return await calls.send(name, [some], encoding);
    } finally {
      some.clear();
    }
  });
}

/** Which of the keys exist, each asked for by itself, since the answer for several is only a sum. */
export async function existing(calls: Calls, keys: readonly Buffer[]): Promise<readonly boolean[]> {
  const replies = await Promise.all(keys.map((key) => calls.send('exists', [key.toString('latin1')])));
  return replies.map(({ reply }) => reply === 1);
}

/** How many of the keys exist; and what the slowest of the calls that it took took. */
export async function countExisting(calls: Calls, keys: Bulk): Promise<{ count: number; ms: number }> {
  if (keys.count === 0) return { count: 0, ms: 0 };
  const answers = await inCalls(calls, 'exists', keys, 'latin1');
  return {
    count: answers.reduce((sum, { reply }) => sum + Number(reply), 0),
    ms: Math.max(...answers.map(({ ms }) => ms)),
  };
}

/** What each key takes in memory, in bytes; `null` where it is gone. */
export async function memoryUsage(calls: Calls, keys: readonly string[]): Promise<readonly (number | null)[]> {
  const replies = await Promise.all(keys.map((key) => calls.send('memory', ['USAGE', key])));
  return replies.map(({ reply }) => (typeof reply === 'number' ? reply : null));
}

/** How long each key has been idle, in seconds; `null` where it is gone. Fails where the server does not keep count. */
export async function idleSeconds(calls: Calls, keys: readonly string[]): Promise<readonly (number | null)[]> {
  const ask = async (what: string, key: string) => (await calls.send('object', [what, key])).reply;
  const replies = await Promise.all(
    keys.map(async (key) => await Promise.all([ask('IDLETIME', key), ask('REFCOUNT', key)])),
  );
  return replies.map(([idle, references]) => (typeof idle === 'number' && references !== SHARED_VALUE ? idle : null));
}

/**
 * So many references a value seems to have that Redis keeps once for all keys that hold it, as it does with numbers below 10,000
 * unless an eviction policy needs idle times: then the idle time says nothing of the key. (OBJ_SHARED_REFCOUNT in server.h)
 */
export const SHARED_VALUE = 2_147_483_647;
