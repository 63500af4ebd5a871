/** contents: what is in the trash and is wanted back, found by a scan, a bounded part of it at a time. */
import type { Thing } from '../redis/restore.ts';
import { readTrashName, type Trashed } from '../redis/trash/names.ts';
import type { TrashPlace } from '../redis/trash/place.ts';

export type Kind = 'heartbeat' | 'thing';

export interface Search {
  /** The pattern that finds all of it. */
  readonly glob: string;
  /** What something in the trash is; `null`: not wanted. */
  readonly kindOf: (thing: Trashed) => Kind | null;
}

/** So many are held at once: some 30 MB. */
const MOST_HELD = 100_000;

export interface Held extends Thing {
  /** When it was put there, by the target's clock. */
  readonly second: number;
  readonly kind: Kind;
  /** Whether something else of this name, that went before, lies there, too. */
  readonly isAgain: boolean;
}

/**
 * Everything that is wanted, in lists; of things of the same name, the last that went. What does not fit at once is found by
 * further scans, each for a share of the names.
 */
export async function* contentsOf(
  trash: TrashPlace,
  search: Search,
  share = 0,
  shares = 1,
): AsyncGenerator<readonly Held[]> {
  const held = await shareOf(trash, search, share, shares);
  if (held !== null) {
    yield held;
    return;
  }
  yield* contentsOf(trash, search, share, 2 * shares);
  yield* contentsOf(trash, search, share + shares, 2 * shares);
}

/** A share of the names; `null` when that is too much to hold. */
async function shareOf(
  trash: TrashPlace,
  { glob, kindOf }: Search,
  share: number,
  shares: number,
): Promise<readonly Held[] | null> {
  const held = new Map<string, Held>();
  for await (const page of trash.pages(glob)) {
    for (const key of page) {
      const found = readTrashName(key);
      if (found === null || hashOf(found.name) % shares !== share) continue;
      const kind = kindOf(found);
      if (kind === null) continue;
      const name = found.name.toString('latin1');
      const before = held.get(name);
      const isAgain = before !== undefined && (before.isAgain || !before.key.equals(key));
      const { second, position, ttls } = found;
      const last = before !== undefined && !wentLater(found, before) ? before : { key, second, position, ttls, kind };
      held.set(name, { ...last, name: found.name, isAgain });
    }
    if (held.size > MOST_HELD) return null;
  }
  return [...held.values()];
}

/** Within a second it is told by the runs, as they are numbered: what comes back is then of one of them, never some of each. */
function wentLater(one: Trashed, before: Held): boolean {
  if (one.second !== before.second) return one.second > before.second;
  const { run } = readTrashName(before.key) ?? one;
  return one.run.length === run.length ? one.run > run : one.run.length > run.length;
}

/** FNV-1a, 32 bits. */
function hashOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ (name[at] as number), 0x0100_0193);
  return hash >>> 0;
}
