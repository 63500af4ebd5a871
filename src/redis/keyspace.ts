/** keyspace: reading a target: pages of key names, heartbeat values, what exists. Writes nothing. */
import type { Bulk } from './bulk.ts';
import type { Calls } from './calls.ts';

export interface Page {
  readonly cursor: string;
  readonly keys: Buffer[];
  readonly ms: number;
}

/** One SCAN call. The walk is over when the cursor comes back as `0`. */
export const scanPage = async (calls: Calls, cursor: string, pattern: string, count: number): Promise<Page> => {
  const { reply, ms } = await calls.send('scan', [cursor, 'MATCH', pattern, 'COUNT', count], null);
  const [next, keys] = reply as [Buffer, Buffer[]];
  return { cursor: next.toString('latin1'), keys, ms };
};

/** MGET: `null` where a key is missing or not a string. */
export const readValues = async (calls: Calls, keys: Bulk): Promise<{ values: (Buffer | null)[]; ms: number }> => {
  const { reply, ms } = await calls.send('mget', [keys], null);
  return { values: reply as (Buffer | null)[], ms };
};

/** Which of the keys exist, each asked for by itself, since the answer for several is only a sum. */
export const existing = async (calls: Calls, keys: readonly Buffer[]): Promise<readonly boolean[]> => {
  const replies = await Promise.all(keys.map((key) => calls.send('exists', [key.toString('latin1')])));
  return replies.map(({ reply }) => reply === 1);
};

/** How many of the keys exist. */
export const countExisting = async (calls: Calls, keys: Bulk): Promise<{ count: number; ms: number }> => {
  if (keys.count === 0) return { count: 0, ms: 0 };
  const { reply, ms } = await calls.send('exists', [keys]);
  return { count: Number(reply), ms };
};

/** How long each key has been idle, in seconds; `null` where it is gone. Fails where the server does not keep count. */
export const idleSeconds = async (calls: Calls, keys: readonly string[]): Promise<readonly (number | null)[]> => {
  const replies = await Promise.all(keys.map((key) => calls.send('object', ['IDLETIME', key])));
  return replies.map(({ reply }) => (typeof reply === 'number' ? reply : null));
};
