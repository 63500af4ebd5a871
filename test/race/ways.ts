/** ways: what becomes of what a run sweeps, and who is told of it: drawn, since each of them is another script, or another order of calls. */
import type { Random } from '../chaos/random.ts';

const WHERE = 'swept';
/** What a user needs besides who may sweep, whatever is drawn. */
export const RIGHTS_OF_WAYS = [
  ...['+renamenx', '+pexpire', '+persist', '+set', '+pttl'],
  ...['+publish', '+xadd', '+sadd', '+sismember', `&${WHERE}`],
];

export function drawWay(random: Random): Readonly<Record<string, unknown>> {
  const announce = random.pick([null, null, { channel: WHERE }, { stream: WHERE }]) ?? null;
  return {
    ...(random.between(0, 1) === 0 ? {} : { trash: '1h' }),
    ...(announce === null ? {} : { announce }),
  };
}

/** Whether a key is there only since something was swept in one of these ways. */
export function isOfWay(key: string): boolean {
  return key === WHERE || key.startsWith('stalesweep:trash') || key.startsWith('stalesweep:announced:');
}
