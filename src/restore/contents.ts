/** contents: what is in the trash and is wanted back, found by a scan, a bounded part of it at a time. */
import type { Calls } from '../redis/call/calls.ts';
import { scanPage } from '../redis/keyspace/keyspace.ts';
import type { Thing } from '../redis/restore.ts';
import { ScanEnd } from '../redis/keyspace/scanEnd.ts';
import type { Paces } from '../redis/pace/paces.ts';
import type { Patience } from '../redis/target/patience.ts';
import { readTrashName, type Trashed, ttlKeyOf } from '../redis/trash/names.ts';

/** How a target is asked. */
export interface Asking {
  readonly calls: Calls;
  readonly paces: Paces;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** How many keys there are, roughly. */
  readonly keyspace: number;
}

export interface Search {
  /** The pattern that finds all of it. */
  readonly glob: string;
  readonly wants: (thing: Trashed) => boolean;
}

/** So many are held at once: some 30 MB. */
const MOST_HELD = 100_000;

interface Held extends Thing {
  readonly second: number;
}

/**
 * Everything that is wanted, in lists; of things of the same name, the last that went. What does not fit at once is found by
 * further scans, each for a share of the names.
 */
export async function* contentsOf(
  asking: Asking,
  search: Search,
  share = 0,
  shares = 1,
): AsyncGenerator<readonly Thing[]> {
  const held = await shareOf(asking, search, share, shares);
  if (held !== null) {
    yield held;
    return;
  }
  yield* contentsOf(asking, search, share, 2 * shares);
  yield* contentsOf(asking, search, share + shares, 2 * shares);
}

/** A share of the names; `null` when that is too much to hold. */
async function shareOf(
  asking: Asking,
  { glob, wants }: Search,
  share: number,
  shares: number,
): Promise<readonly Thing[] | null> {
  const held = new Map<string, Held>();
  for await (const page of pagesOf(asking, glob)) {
    for (const key of page) {
      const found = readTrashName(key);
      if (found === null || hashOf(found.name) % shares !== share || !wants(found)) continue;
      const name = found.name.toString('latin1');
      const { second, position, sending } = found;
      if ((held.get(name)?.second ?? -1) > second) continue;
      held.set(name, { key, name: found.name, position, second, ttls: ttlKeyOf(sending) });
    }
    if (held.size > MOST_HELD) return null;
  }
  return [...held.values()];
}

/** All keys that a pattern finds, page by page. */
export async function* pagesOf(
  { calls, paces, patience, signal, keyspace }: Asking,
  glob: string,
): AsyncGenerator<readonly Buffer[]> {
  let cursor = '0';
  const end = new ScanEnd(keyspace);
  do {
    signal.throwIfAborted();
    const count = paces.scan.size;
    const page = await patience.steadily(async () => await scanPage(calls, cursor, glob, count));
    paces.tell('scan', count, page.ms);
    cursor = page.cursor;
    end.note(cursor, count, page.keys.length);
    yield page.keys;
    await calls.rest.take();
  } while (cursor !== '0');
}

/** FNV-1a, 32 bits. */
function hashOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ (name[at] as number), 0x0100_0193);
  return hash >>> 0;
}
