/** restore: the door to `lua/restore.lua`, and the same for a Redis that takes no scripts. */
import { asTaken } from './call/asTaken.ts';
import { Bulk } from './call/bulk.ts';
import type { Order, Reply } from './call/wire.ts';
import type { Calls } from './call/calls.ts';
import { BASE_MS, DIGITS, wasGone } from './removal/removals.ts';
import { callScript, loadScript, scriptRefusal } from './call/script.ts';
import { isUntaken } from './rights/refusals.ts';
import { isTooLarge } from './rights/tooLarge.ts';

const SCRIPT = loadScript('restore');

/** Something in the trash. */
export interface Thing {
  /** What it is called there, and what it was called before. */
  readonly key: Buffer;
  readonly name: Buffer;
  /** Where its own time to live stands. */
  readonly ttls: string;
  readonly position: number;
}

/**
 * What became of a thing. `timeless`: it is back without what time to live it had, since where that was noted is evicted; `gone`: it is
 * not in the trash any more.
 */
export type Became = 'restored' | 'timeless' | 'existing' | 'expired' | 'gone';

const BECAME: Readonly<Record<string, Became>> = {
  '2': 'timeless',
  '1': 'restored',
  '0': 'existing',
  '-1': 'expired',
  '-2': 'gone',
};

export interface Restored {
  /** In the order of the things. */
  readonly became: readonly Became[];
  readonly ms: number;
}

function textOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}

/**
 * Brings things back, never over something that exists. Where scripts are refused, it is done by transaction.
 * @param until nothing is done, and an error returned (`LATE`), after this second of the server's clock; `null`: it is done at any time
 */
export async function bringBack(
  calls: Calls,
  things: readonly Thing[],
  until: number | null = null,
): Promise<Restored> {
  const keys = [
    Bulk.of(things.map(({ key }) => textOf(key))),
    Bulk.of(things.map(({ name }) => textOf(name))),
    Bulk.of(things.map(({ ttls }) => ttls)),
  ];
  try {
    const { reply, ms } = await callScript(calls, SCRIPT, keys, [
      things.length,
      until ?? 0,
      ...things.map(({ position }) => position),
    ]);
    return { became: (reply as number[]).map((one) => BECAME[one] ?? 'gone'), ms };
  } catch (error) {
    // Of fewer the script may be taken; of one there is nothing smaller.
    if (isTooLarge(error) && things.length > 1) throw error;
    if (scriptRefusal(error) === null && !isUntaken(error)) throw error;
    return await bringBackByTransaction(calls, things);
  }
}

/** What would become of things; writes nothing. */
export async function lookAt(calls: Calls, things: readonly Thing[]): Promise<Restored> {
  const answers = await asTaken(calls, 'lookAt', things.length, async (from, to) => {
    const some = things.slice(from, to);
    return (await lookAtAll(calls, some)) ?? (await lookAtEach(calls, some));
  });
  return inAll(answers);
}

/** Answers for parts of things, in their order, as one. */
export function inAll(answers: readonly Restored[]): Restored {
  return { became: answers.flatMap(({ became }) => became), ms: Math.max(0, ...answers.map(({ ms }) => ms)) };
}

async function lookAtEach(calls: Calls, things: readonly Thing[]): Promise<Restored> {
  const { seen, ms } = await look(calls, things);
  return { became: seen.map(({ became }) => became), ms };
}

/** Things by the calls that put them into the trash: to ask of those of one call costs little, of some of many a lot. */
export function bySendingOf<T extends Thing>(things: Iterable<T>): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const thing of things) {
    const known = found.get(thing.ttls);
    if (known === undefined) found.set(thing.ttls, [thing]);
    else known.push(thing);
  }
  return found;
}

/**
 * The same of things that are all there, and whose names nobody has taken, as most are, by a few calls instead of four for each;
 * `null` where they are not. What one call put into the trash leaves it at the same time.
 */
async function lookAtAll(calls: Calls, things: readonly Thing[]): Promise<Restored | null> {
  const bySending = [...bySendingOf(things)];
  const questions = bySending.flatMap(([ttls, [first, ...others]]): Order[] => {
    if (first === undefined) return [];
    const last = others.reduce((most, { position }) => Math.max(most, position), first.position);
    return [
      ['pttl', [textOf(first.key)]],
      ['getrange', [ttls, 0, (last + 2) * DIGITS - 1]],
    ];
  });
  const existing = (of: (thing: Thing) => Buffer): Order => ['exists', [Bulk.of(things.map((one) => textOf(of(one))))]];
  const { replies, ms } = await calls.sendTogether([
    existing(({ key }) => key),
    existing(({ name }) => name),
    ...questions,
  ]);
  const error = replies.find((reply) => reply instanceof Error);
  if (error instanceof Error) throw error;
  const [there, taken, ...told] = replies as Reply[];
  if (there !== things.length || taken !== 0) return null;
  const sendings = new Map(bySending.map(([ttls], i) => [ttls, told.slice(2 * i, 2 * i + 2)]));
  const became = things.map(({ ttls, position }) => {
    const [pttl = null, text] = sendings.get(ttls) ?? [];
    const digitsAt = (at: number) => String(text).slice(at * DIGITS, (at + 1) * DIGITS);
    return seenIn([pttl, 0, digitsAt(0), digitsAt(position + 1)]).became;
  });
  return { became, ms };
}

/** What is known of a thing before it is brought back. */
interface Seen {
  readonly became: Became;
  /** What is left of its own time to live, and of the trash's, in ms; `null` where there is none. */
  readonly ownMs: number | null;
  readonly trashMs: number | null;
}

const QUESTIONS = 4;

async function look(calls: Calls, things: readonly Thing[]): Promise<{ seen: readonly Seen[]; ms: number }> {
  const questions = things.flatMap(({ key, name, ttls, position }): Order[] => {
    const from = (position + 1) * DIGITS;
    return [
      ['pttl', [textOf(key)]],
      ['exists', [textOf(name)]],
      ['getrange', [ttls, 0, DIGITS - 1]],
      ['getrange', [ttls, from, from + DIGITS - 1]],
    ];
  });
  const { replies, ms } = await calls.sendTogether(questions);
  const error = replies.find((reply) => reply instanceof Error);
  if (error instanceof Error) throw error;
  const seen = things.map((_, i) => seenIn(replies.slice(i * QUESTIONS, (i + 1) * QUESTIONS) as Reply[]));
  return { seen, ms };
}

function seenIn([pttl, exists, keep, own]: readonly Reply[]): Seen {
  const left = Number(pttl);
  const passedMs = left >= 0 ? Number(keep) - BASE_MS - left : 0;
  const ownMs = Number(own) > 0 ? Number(own) - BASE_MS - passedMs : null;
  const isOver = ownMs !== null && ownMs <= 0;
  const back = Number(keep) > 0 ? 'restored' : 'timeless';
  const became = left === -2 ? 'gone' : isOver ? 'expired' : exists === 1 ? 'existing' : back;
  return { became, ownMs, trashMs: left >= 0 ? left : null };
}

function comesBack({ became }: Seen): boolean {
  return became === 'restored' || became === 'timeless';
}

function lives(key: string, ms: number | null): Order {
  return ms === null ? ['persist', [key]] : ['pexpire', [key, ms]];
}

/** The time to live is set before, on the thing in the trash: what has the name by then keeps its own. */
async function bringBackByTransaction(calls: Calls, things: readonly Thing[]): Promise<Restored> {
  const { seen, ms } = await look(calls, things);
  const going = things.flatMap((thing, i) => {
    const one = seen[i];
    return one !== undefined && comesBack(one) ? [{ ...thing, ...one }] : [];
  });
  if (going.length === 0) return { became: seen.map(({ became }) => became), ms };
  const orders = going.flatMap(({ key, name, ownMs, trashMs }): Order[] => [
    lives(textOf(key), ownMs),
    ['renamenx', [textOf(key), textOf(name)]],
    // Nothing, where it is back.
    lives(textOf(key), trashMs),
  ]);
  const answer = await calls.sendTogether([['multi', []], ...orders, ['exec', []]]);
  const executed = answer.replies.at(-1) as readonly unknown[] | Error | null;
  const error = [...answer.replies, ...(Array.isArray(executed) ? executed : [])].find(
    (one): one is Error => one instanceof Error && !wasGone(one),
  );
  if (error) throw error;
  const renamed = (executed as readonly unknown[]).filter((_, i) => i % 3 === 1);
  let at = 0;
  const became = seen.map((one): Became => {
    if (!comesBack(one)) return one.became;
    const reply = renamed[at++];
    return reply === 1 ? one.became : reply === 0 ? 'existing' : 'gone';
  });
  return { became, ms: Math.max(ms, answer.ms) };
}
