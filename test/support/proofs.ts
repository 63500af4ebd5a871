/** proofs: coordinators whose heartbeats are of any length, and who of them writes its own anew. */
import { everythingOf, heartbeatOf } from './world.ts';

/** Around where a value is not its own proof any more, with and without memory to spare; and shorter than all digests. */
export const LENGTHS = [28, 41, 63, 64, 65, 66, 150, 255, 256, 257, 5_000];
export const EACH = 48;
/** Of these, the first are found while there is memory to spare, others once there is little. */
export const LITTLE_MEMORY = 200_000;

export interface ProofWorld {
  readonly world: Readonly<Record<string, string>>;
  /** One of three is written anew: with another time that is as old, or with a byte that tells nothing. */
  readonly anew: Readonly<Record<string, string>>;
  /** All that is of these. */
  readonly stays: readonly string[];
}

/** All of them, silent since then, which is in whole seconds. */
export function proofWorld(atMs: number): ProofWorld {
  const world: Record<string, string> = {};
  const anew: Record<string, string> = {};
  const stays: string[] = [];
  for (const bytes of LENGTHS) {
    for (let nth = 0; nth < EACH; nth++) {
      const id = `c-${bytes}-${nth}`;
      const keys = everythingOf(id);
      for (const key of keys) world[key] = '1';
      const value = `{"timestamp":${atMs + 10 * nth}}`.padEnd(bytes);
      world[heartbeatOf(id)] = value;
      if (nth % 3 !== 0) continue;
      anew[heartbeatOf(id)] = nth % 2 === 0 ? value.replace('0}', '1}') : `${value.slice(0, -1)}\n`;
      stays.push(...keys);
    }
  }
  return { world, anew, stays: stays.toSorted() };
}

/** What a report says of them then. */
export const COUNTED = { stale: LENGTHS.length * EACH, revived: (LENGTHS.length * EACH) / 3 };
