/** aside: the keys of one chunk, taken out of everybody's sight slot by slot, then removed for good or put back.
 *
 *      set aside ──▶ (are their owners still stale?) ──▶ removed
 *                                                   └──▶ put back, never over something that exists
 *
 * A key that was set aside while its owner is seen to be stale afterwards was taken from a stale one: nobody had beaten when it went.
 */
import { Bulk } from '../bulk.ts';
import { putBack } from '../putBack.ts';
import { setAside } from '../setAside.ts';
import type { Members } from './members.ts';
import { AsideNames } from './names.ts';
import type { RoutedCalls } from './routedCalls.ts';
import { slotOfText } from './slots.ts';

/** Keys of one slot that go in one call, with their names aside and their places in the chunk. */
interface Piece {
  readonly slot: number;
  readonly keys: string[];
  readonly names: string[];
  readonly places: number[];
}

/** Where keys wait until it is known what becomes of them. */
export class Aside {
  readonly #pieces: Piece[] = [];
  readonly #isAside: boolean[];
  /** Pieces of which something may be aside. */
  readonly #begun = new Set<Piece>();

  /** @param keys byte strings; one that stands there twice is one */
  constructor(
    private readonly members: Members,
    private readonly calls: RoutedCalls,
    keys: readonly string[],
  ) {
    this.#isAside = keys.map(() => false);
    const names = new AsideNames();
    const open = new Map<number, Piece>();
    const seen = new Set<string>();
    for (const [place, key] of keys.entries()) {
      if (seen.has(key)) continue;
      seen.add(key);
      const slot = slotOfText(key);
      let piece = open.get(slot);
      if (piece === undefined || piece.keys.length >= this.#most(slot)) {
        piece = { slot, keys: [], names: [], places: [] };
        open.set(slot, piece);
        this.#pieces.push(piece);
      }
      piece.keys.push(key);
      piece.names.push(names.next(key, slot));
      piece.places.push(place);
    }
  }

  #most(slot: number): number {
    const [owner] = this.members.holdersOf(slot);
    return owner?.paces.sweep.size ?? 1;
  }

  /**
   * Sets them aside, side by side. Resolves, when all are, to whether each of the keys was there.
   * @param idleSeconds only those that nobody touched for longer than this; `null`: all
   */
  async set(idleSeconds: number | null = null): Promise<readonly boolean[]> {
    await each(this.#pieces, async (piece) => {
      this.#begun.add(piece);
      const { isAside, ms } = await withBulks([piece.keys, piece.names], async ([keys, names]) => {
        return await setAside(this.calls, keys as Bulk, names as Bulk, idleSeconds);
      });
      this.members.holdersOf(piece.slot)[0]?.paces.tell('sweep', piece.keys.length, ms);
      for (const [i, place] of piece.places.entries()) this.#isAside[place] = isAside[i] ?? false;
    });
    return this.#isAside;
  }

  /** Removes them for good. Resolves to whether nobody has put any of them back meanwhile. */
  async remove(): Promise<boolean> {
    let whole = true;
    await each(this.#pieces, async (piece) => {
      const there = [...piece.keys.keys()].filter((i) => this.#isAside[piece.places[i] as number]);
      if (there.length > 0) {
        const names = there.map((i) => piece.names[i] as string);
        const removed = await withBulks([names], async ([bulk]) => await this.calls.send('unlink', [bulk as Bulk]));
        // They may have expired, or have been put back by somebody who took this run for killed.
        if (Number(removed.reply) < names.length) {
          const own = there.map((i) => piece.keys[i] as string);
          const back = await withBulks([own], async ([bulk]) => await this.calls.send('exists', [bulk as Bulk]));
          whole &&= Number(back.reply) === 0;
        }
      }
      this.#begun.delete(piece);
    });
    return whole;
  }

  /** Puts back what may be aside. Resolves to the names that were written anew meanwhile: what stood there stays aside for a day. */
  async putBack(): Promise<readonly string[]> {
    const taken: string[] = [];
    await each([...this.#begun], async (piece) => {
      const became = await withBulks([piece.names, piece.keys], async ([names, keys]) => {
        return await putBack(this.calls, names as Bulk, keys as Bulk);
      });
      for (const [i, what] of became.entries()) if (what === 'taken') taken.push(piece.keys[i] as string);
      this.#begun.delete(piece);
    });
    return taken;
  }
}

/** So many calls are on their way at once, to all nodes together: each has one to do while the next one travels. */
const UNDER_WAY = 64;

/** Works through all of them; throws what the first that failed threw, once all that were begun have ended. */
export async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let at = 0;
  let failed: { readonly error: unknown } | null = null;
  const lane = async () => {
    while (at < items.length && failed === null) {
      try {
        await work(items[at++] as T);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(UNDER_WAY, items.length) }, lane));
  const { error } = (failed as { readonly error: unknown } | null) ?? {};
  if (failed !== null) throw error;
}

/** Spells lists of byte strings for a call, and lets go of them after it. */
export async function withBulks<R>(
  lists: readonly (readonly string[])[],
  send: (bulks: readonly Bulk[]) => Promise<R>,
): Promise<R> {
  const bulks = lists.map((list) => Bulk.of(list));
  try {
    return await send(bulks);
  } finally {
    for (const bulk of bulks) bulk.clear();
  }
}
