/** removals: the commands that remove things inside a transaction, for good or into the trash. */
import type { Bulk } from '../call/bulk.ts';
import type { Order, Reply } from '../call/wire.ts';
import type { Trash } from '../trash/names.ts';

/** One command, and whether its reply tells how many keys went. */
interface Step {
  readonly order: Order;
  readonly counts: boolean;
}

/** What removes one list of keys. */
export type Steps = readonly Step[];

/** The times to live of all keys of these lists; nothing where they go for good. Their replies are what `removalOf` takes. */
export function questionsFor(trash: Trash | null, lists: readonly Bulk[]): readonly Order[] {
  if (trash === null) return [];
  return lists.flatMap((keys) => keys.texts().map((key): Order => ['pttl', [key]]));
}

/**
 * What removes these lists, list by list, and what is written before.
 * @param lives the replies to `questionsFor`
 */
export function removalOf(
  trash: Trash | null,
  lists: readonly Bulk[],
  lives: readonly Reply[],
): { readonly before: readonly Order[]; readonly steps: readonly Steps[] } {
  if (trash === null) {
    const unlink = (keys: Bulk): Steps => (keys.count > 0 ? [{ order: ['unlink', [keys]], counts: true }] : []);
    return { before: [], steps: lists.map(unlink) };
  }
  const { names, ttls } = trash.send(lists);
  const to = names.texts();
  names.clear();
  let at = 0;
  const move = (key: string): Step[] => {
    const [name = '', left] = [to[at], lives[at]];
    at++;
    if (left === GONE) return [];
    return [
      { order: ['renamenx', [key, name]], counts: true },
      { order: ['pexpire', [name, trash.keepMs]], counts: false },
    ];
  };
  const steps = lists.map((keys) => keys.texts().flatMap(move));
  if (steps.every((list) => list.length === 0)) return { before: [], steps };
  return { before: [['set', [ttls, noteOf(trash.keepMs, lives), 'PX', trash.keepMs]]], steps };
}

/** What PTTL says of a key that is not there, and of one without a time to live. */
const GONE = -2;
/** Times to live are written as numbers of so many digits, counted from here in ms; zeros stand for none. */
export const DIGITS = 14;
export const BASE_MS = 10 ** (DIGITS - 1);
const MOST_MS = 9 * BASE_MS - 1;

/** As lua/sweep.lua writes it: how long the trash keeps them, then what each had left, if any had. */
function noteOf(keepMs: number, lives: readonly Reply[]): string {
  const left = lives.map(Number);
  const digits = (ms: number) => (ms < 0 ? ''.padStart(DIGITS, '0') : String(BASE_MS + Math.min(ms, MOST_MS)));
  return left.every((ms) => ms < 0) ? digits(keepMs) : [keepMs, ...left].map(digits).join('');
}

/** How many keys of each list went, as the replies to their steps tell. One that was gone meanwhile is none. */
export function countsOf(steps: readonly Steps[], replies: readonly unknown[]): readonly number[] {
  let at = 0;
  return steps.map((list) => {
    let count = 0;
    for (const { counts } of list) {
      const reply = replies[at++];
      if (counts && typeof reply === 'number') count += reply;
    }
    return count;
  });
}

/** Whether a key that was to be moved was gone by then: it needs none. */
export function wasGone(error: Error): boolean {
  return /no such key/.test(error.message);
}
