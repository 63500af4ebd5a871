/** replace sightings: the door to `lua/replaceSightings.lua`. */
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('replaceSightings');

export interface Replacement {
  /** The key that says which version stands. */
  readonly key: string;
  /** A version, and the key of its blocks. `null`: none. */
  readonly expected: { readonly version: string; readonly blocks: string } | null;
  readonly next: { readonly version: string; readonly blocks: string; readonly count: number };
  readonly keepSeconds: number;
  /** How long the replaced blocks stay for those who are reading them. */
  readonly graceSeconds: number;
}

/** Puts the next version in the place of the expected one; `false` when another one stands, or the next is not complete. */
export async function replaceSightings(calls: Calls, replacement: Replacement): Promise<boolean> {
  const { key, expected, next, keepSeconds, graceSeconds } = replacement;
  const keys = [key, next.blocks, ...(expected === null ? [] : [expected.blocks])];
  const args = [expected?.version ?? '', next.version, next.count, keepSeconds, graceSeconds];
  const { reply } = await callScript(calls, SCRIPT, [Bulk.of(keys)], args);
  return reply === 1;
}
