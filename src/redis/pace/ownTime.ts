/** own time: what commands have taken Redis itself, whatever lies between it and the worker.
 *
 * INFO commandstats tells for each command how many microseconds all its calls have taken; the difference between two looks
 * is the time of the calls between them (and of everybody else's calls of the same command, so it is never too little). A
 * look takes Redis 5 to 50 µs. (https://redis.io/docs/latest/commands/info/)
 */
import type { Calls } from '../call/calls.ts';
import { isRefusal } from '../rights/refusals.ts';

const LINE = /^cmdstat_([^:]+):calls=\d+,usec=(\d+)/gm;

/** Microseconds by command since the server's start, names in lower case; `null` where it does not say, or not to this user. */
export async function readOwnTime(calls: Calls): Promise<ReadonlyMap<string, number> | null> {
  const { replies } = await calls.sendTogether([['info', ['commandstats']]]);
  const [reply] = replies;
  if (reply instanceof Error) {
    if (!isRefusal(reply)) throw reply;
    return null;
  }
  const times = new Map([...String(reply).matchAll(LINE)].map(([, name = '', usec]) => [name, Number(usec)] as const));
  return times.size > 0 ? times : null;
}
