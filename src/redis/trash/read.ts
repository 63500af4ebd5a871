/** read: how much there is in the trash. Writes nothing. */
import type { Calls } from '../call/calls.ts';
import { scanPage } from '../keyspace/keyspace.ts';
import { ScanEnd } from '../keyspace/scanEnd.ts';
import { readTrashName, TRASH_PREFIX } from './names.ts';

export interface TrashContents {
  readonly keys: number;
  /** What they take, by a sample; `null` where the user may not ask, or nothing is there. */
  readonly bytes: number | null;
  /** When the oldest was put there, by the target's clock; `null` where nothing is there. */
  readonly oldestSecond: number | null;
}

const PAGE = 1_000;
/** So many are measured. */
const SAMPLED = 200;

/** Walks the whole keyspace, in bounded pages. Fails (`RUN_FAILED`) where that would never end. */
export async function readTrash(calls: Calls): Promise<TrashContents> {
  const end = new ScanEnd(await keyspaceSize(calls));
  const sample: string[] = [];
  let keys = 0;
  let oldestSecond: number | null = null;
  let cursor = '0';
  do {
    const page = await scanPage(calls, cursor, `${TRASH_PREFIX}*`, PAGE);
    cursor = page.cursor;
    end.note(cursor, page.count, page.keys.length);
    for (const key of page.keys) {
      const found = readTrashName(key);
      if (found === null) continue;
      keys++;
      oldestSecond = Math.min(oldestSecond ?? found.second, found.second);
      // Each of them with the same chance, however many there are.
      const place = keys <= SAMPLED ? keys - 1 : Math.floor(Math.random() * keys);
      if (place < SAMPLED) sample[place] = key.toString('latin1');
    }
    await calls.rest.take();
  } while (cursor !== '0');
  return { keys, bytes: sample.length === 0 ? null : await measured(calls, sample, keys), oldestSecond };
}

/** How many keys there are; 0 where the user may not ask. */
async function keyspaceSize(calls: Calls): Promise<number> {
  const { replies } = await calls.sendTogether([['dbsize', []]]);
  return typeof replies[0] === 'number' ? replies[0] : 0;
}

async function measured(calls: Calls, sample: readonly string[], keys: number): Promise<number | null> {
  const { replies } = await calls.sendTogether(sample.map((key) => ['memory', ['USAGE', key]] as const));
  const sizes = replies.filter((reply) => typeof reply === 'number');
  if (sizes.length === 0) return null;
  return Math.round((sizes.reduce((sum, size) => sum + size, 0) / sizes.length) * keys);
}
