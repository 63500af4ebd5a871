/** latency: what a call takes that asks for nothing: the way to Redis and back. */
import type { Calls } from '../calls.ts';

/** Measures it, in ms: the least of a few calls, since any one of them may have met a busy moment. */
export async function measureLatency(calls: Calls): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) least = Math.min(least, (await calls.send('time', [])).ms);
  return least;
}
