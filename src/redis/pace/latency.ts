/** latency: what a call takes that asks for nothing, the way to Redis and back; and how many calls are under way for it. */
import { type Calls, LONG_WAY_MS } from '../call/calls.ts';

/** Measures it, in ms: the least of a few calls, since any one of them may have met a busy moment. */
export async function measureLatency(calls: Pick<Calls, 'send'>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) least = Math.min(least, (await calls.send('time', [])).ms);
  return least;
}

/**
 * A second call is on its way while Redis works on the first, unless the run is to rest between them. Where the way takes longer
 * than the work, four; not more, since those that arrive together are served one behind the other before anybody else's.
 */
export function lanesFor(nice: number, latencyMs: number): number {
  if (nice > 0) return 1;
  return latencyMs > LONG_WAY_MS ? 4 : 2;
}
