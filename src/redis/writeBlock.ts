/** write block: the door to `lua/writeBlock.lua`. */
import { askForHalf, mostAtOnce } from './call/asTaken.ts';
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';
import { isAnswerTooLarge, isTooLarge } from './rights/tooLarge.ts';

const SCRIPT = loadScript('writeBlock');

/** The keys that all blocks have in common. */
export interface BlockKeys {
  /** What all of them take. Their own keys are this one, `bytes` at its end replaced by their name. */
  readonly bytes: string;
  readonly byName: string;
  readonly byAge: string;
}

export interface BlockWrite {
  readonly key: string;
  /** The first eight bytes of what is replaced; empty for none, `null` for whatever stands there. */
  readonly replaces: Buffer | null;
  readonly bytes: Buffer;
  readonly atMs: number;
  /** A block that is removed with it, and the first eight bytes that it must have; `null` for whatever stands there. */
  readonly ends: { readonly key: string; readonly replaces: Buffer | null } | null;
  /** What all blocks together may take. */
  readonly mostBytes: number;
  /** Those before this instant may go. */
  readonly keepFromMs: number;
  /** The keys of the oldest, which may go. At most 64. */
  readonly oldest: readonly string[];
}

export interface BlockWritten {
  /** `changed`: another version stands, or what ends with it is another one. `full`: more of the oldest must go first; those that were named may be gone. */
  readonly status: 'written' | 'changed' | 'full';
  /** What all blocks take now. */
  readonly takenBytes: number;
  /** Names of the oldest that are there now. */
  readonly oldest: readonly string[];
}

/** So many of the oldest go at once where a server takes no more. */
const FEWEST = 4;

const WHATEVER = Buffer.from('*');
const STATUS = ['changed', 'written', 'full'] as const;

/** Writes a block in one step with what must go for it. */
export async function writeBlock(calls: Calls, keys: BlockKeys, write: BlockWrite): Promise<BlockWritten> {
  const { key, replaces, bytes, atMs, ends, mostBytes, keepFromMs, oldest } = write;
  const send = async (most: number) => {
    const all = new Bulk();
    const named = [keys.bytes, keys.byName, keys.byAge, key, ends?.key ?? key, ...oldest.slice(0, most)];
    for (const one of named) all.add(Buffer.from(one));
    const binary = new Bulk(bytes.length + 64);
    binary.add(replaces ?? WHATEVER);
    binary.add(ends?.replaces ?? WHATEVER);
    binary.add(bytes);
    return await callScript(calls, SCRIPT, [all], [binary, atMs, mostBytes, keepFromMs]);
  };
  // Fewer of the oldest may go at once where a server takes only so many arguments.
  const { reply } = await send(mostAtOnce(calls, SCRIPT.name)).catch(async (error: unknown) => {
    if (!isTooLarge(error) || isAnswerTooLarge(error) || oldest.length <= FEWEST) throw error;
    askForHalf(calls, SCRIPT.name, 2 * FEWEST, error);
    return await send(FEWEST);
  });
  const [status, takenBytes, ...names] = reply as [number, number, ...string[]];
  return { status: STATUS[status] ?? 'changed', takenBytes: Number(takenBytes), oldest: names };
}
