/** keyspace: reading a target: pages of key names, heartbeat values, what exists. Writes nothing. */
import type { Bulk } from '../call/bulk.ts';
import type { Calls } from '../call/calls.ts';

export interface Page {
  readonly cursor: string;
  readonly keys: Buffer[];
  readonly ms: number;
}

/** One SCAN call. The walk is over when the cursor comes back as `0`. */
export async function scanPage(calls: Calls, cursor: string, pattern: string, count: number): Promise<Page> {
  const { reply, ms } = await calls.send('scan', [cursor, 'MATCH', pattern, 'COUNT', count], null);
  const [next, keys] = reply as [Buffer, Buffer[]];
  return { cursor: next.toString('latin1'), keys, ms };
}

/** MGET: `null` where a key is missing or not a string. */
export async function readValues(calls: Calls, keys: Bulk): Promise<{ values: (Buffer | null)[]; ms: number }> {
  const { reply, ms } = await calls.send('mget', [keys], null);
  return { values: reply as (Buffer | null)[], ms };
}

/** Which of the keys exist, each asked for by itself, since the answer for several is only a sum. */
export async function existing(calls: Calls, keys: readonly Buffer[]): Promise<readonly boolean[]> {
  const replies = await Promise.all(keys.map((key) => calls.send('exists', [key.toString('latin1')])));
  return replies.map(({ reply }) => reply === 1);
}

/** How many of the keys exist. */
export async function countExisting(calls: Calls, keys: Bulk): Promise<{ count: number; ms: number }> {
  if (keys.count === 0) return { count: 0, ms: 0 };
  const { reply, ms } = await calls.send('exists', [keys]);
  return { count: Number(reply), ms };
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
