/** contents: what is in the trash and is wanted back, found by a scan, a bounded part of it at a time. */
import { bySendingOf, type Thing } from '../redis/restore.ts';
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

/** Those of all names whose hash leaves this rest. */
interface Share {
  readonly rest: number;
  readonly of: number;
}

/**
 * Everything that is wanted, in lists; of things of the same name, the last that went. What does not fit at once is found by
 * further scans, each for a share of the names.
 */
export async function* contentsOf(
  trash: TrashPlace,
  search: Search,
  mostHeld = MOST_HELD,
): AsyncGenerator<readonly Held[]> {
  const left: Share[] = [{ rest: 0, of: 1 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield await heldOf(trash, search, next, { mostHeld, left });
  }
}

/** Of a share as much as fits: half of it is left to another scan, and so on, once it is too much to hold. */
async function heldOf(
  trash: TrashPlace,
  { glob, kindOf }: Search,
  { rest, of }: Share,
  { mostHeld, left }: { readonly mostHeld: number; readonly left: Share[] },
): Promise<readonly Held[]> {
  const held = new Map<string, Held>();
  const isOurs = (name: Uint8Array) => of === 1 || hashOf(name) % of === rest;
  for await (const page of trash.pages(glob)) {
    for (const key of page) {
      const found = readTrashName(key);
      if (found === null || !isOurs(found.name)) continue;
      const kind = kindOf(found);
      if (kind === null) continue;
      const text = found.name.toString('latin1');
      const before = held.get(text);
      if (before?.key.equals(key)) continue;
      const { name, second, position, ttls } = found;
      const one = { key, name, position, second, ttls, kind, isAgain: before !== undefined };
      held.set(text, before === undefined || wentLater(found, before) ? one : { ...before, isAgain: true });
    }
    if (held.size <= mostHeld) continue;
    left.push({ rest: rest + of, of: 2 * of });
    of *= 2;
    for (const [text, { name }] of held) if (!isOurs(name)) held.delete(text);
  }
  return [...bySendingOf(held.values()).values()].flat();
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
