/** orphans: the door to `lua/orphans.lua`. */
import { Bulk } from './bulk.ts';
import type { Calls } from './calls.ts';
import { callScript, loadScript } from './script.ts';

const SCRIPT = loadScript('orphans');

export interface OrphanChunk {
  /** Heartbeats that must not exist. */
  readonly absent: readonly string[];
  /** Keys to remove, family by family. */
  readonly families: readonly (readonly string[])[];
  /** How long a key must have been idle, in seconds, to go: longer than this. */
  readonly idleSeconds: number;
}

export type OrphanResult =
  | { readonly swept: true; readonly removed: readonly number[]; readonly ms: number }
  | { readonly swept: false; readonly born: readonly number[]; readonly ms: number };

/** Removes those orphans that are idle; removes nothing, and says which, when one of the heartbeats exists. */
export const sweepOrphans = async (calls: Calls, chunk: OrphanChunk): Promise<OrphanResult> => {
  const { absent, families, idleSeconds } = chunk;
  const keys = [Bulk.of(absent), ...families.map((family) => Bulk.of(family))];
  const args = [absent.length, idleSeconds, families.length, ...families.map((family) => family.length)];
  const { reply, ms } = await callScript(calls, SCRIPT, keys, args);
  const [born = 0, ...rest] = reply as number[];
  if (born === 0) return { swept: true, removed: rest, ms };
  return { swept: false, born: rest.map((at) => at - 1), ms };
};
