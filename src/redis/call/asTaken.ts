/** asTaken: what a server refused for its size, sent again in smaller calls, of a size that is remembered for as long as a connection's
 *  calls are: nobody says beforehand how much is taken.
 */
import { Refused } from '../rights/missing.ts';
import { saidIn } from '../rights/refusals.ts';
import { isTooLarge } from '../rights/tooLarge.ts';

/** How much one call of each name may hold, by the calls that go the same way. */
const known = new WeakMap<object, Map<string, number>>();

/** How much one call of this name may hold, as far as is known by now. */
export function mostAtOnce(calls: object, name: string): number {
  return known.get(calls)?.get(name) ?? Number.POSITIVE_INFINITY;
}

/** Learns that so much was refused, and never asks for more than half of it again. Throws where there is no half. */
export function askForHalf(calls: object, name: string, amount: number, error: Error): void {
  if (amount <= 1) throw notEvenOne(`${name.toUpperCase()} of one ${name === 'scan' ? 'slot' : 'key'}`, error);
  const most = known.get(calls) ?? new Map<string, number>();
  most.set(name, Math.min(mostAtOnce(calls, name), Math.floor(amount / 2)));
  known.set(calls, most);
}

/** @param what the smallest that could be asked for */
export function notEvenOne(what: string, error: Error): Refused {
  return new Refused(
    'server',
    `takes no call as small as a run needs, not even ${what} (${saidIn(error)}); raise that limit, or use a server without it`,
  );
}

/**
 * Sends so many items in as few calls as the server takes, one after the other; the answers, in their order. Calls that write must not
 * go this way where an answer alone may have been too large.
 * @param send sends those from the first position up to, and without, the second
 */
export async function asTaken<R>(
  calls: object,
  name: string,
  count: number,
  send: (from: number, to: number) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = [];
  for (let from = 0; from < count; ) {
    const to = Math.min(count, from + mostAtOnce(calls, name));
    try {
      answers.push(await send(from, to));
      from = to;
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      askForHalf(calls, name, to - from, error);
    }
  }
  return answers;
}
