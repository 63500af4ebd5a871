/** comeback: somebody beats in the midst of a run, in one step that tells what of its own is there at that moment. */
import type { Redis } from 'ioredis';
import { buffer } from '../ground.ts';
import type { Person } from './memory.ts';

const COME = `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local there = {}
for i = 2, #KEYS do there[i - 1] = redis.call('EXISTS', KEYS[i]) end
return there`;

export interface Comeback {
  readonly person: Person;
  /** What was there of it, alone or with others: it must be there still once the run is over. */
  owned: readonly string[];
  /** Whether some of that was to go for its sake alone, so that the run knows it. */
  isKnown: boolean;
}

/** Beats; which of these names are there. */
export async function beatAgain(
  redis: Redis,
  heartbeat: string,
  names: readonly string[],
  value: string,
  ttlMs: number,
): Promise<readonly string[]> {
  const keys = [heartbeat, ...names].map(buffer);
  const there = (await redis.eval(COME, keys.length, ...keys, value, ttlMs)) as number[];
  return names.filter((_, i) => there[i] === 1);
}
