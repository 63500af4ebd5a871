/** orphans: the door to `lua/orphans.lua`. */
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';
import type { Trash } from './trash/names.ts';

const SCRIPT = loadScript('orphans');

export interface OrphanChunk {
  /** Heartbeats that must not exist. */
  readonly absent: readonly string[];
  /** Keys to remove, family by family. */
  readonly families: readonly (readonly string[])[];
  /** How long a key must have been idle, in seconds, to go: longer than this. */
  readonly idleSeconds: number;
  /** Where all that goes is kept for a while; left out or `null`: it goes for good. */
  readonly trash?: Trash | null;
}

export type OrphanResult =
  | { readonly swept: true; readonly removed: readonly number[]; readonly ms: number }
  | { readonly swept: false; readonly born: readonly number[]; readonly ms: number };

/** How many keys a chunk sends. */
export function orphansIn({ absent, families }: OrphanChunk): number {
  return absent.length + families.reduce((sum, keys) => sum + keys.length, 0);
}

/**
 * Removes those orphans that are idle; removes nothing, and says which, when one of the heartbeats exists.
 * @param until as `sweep` has it
 */
export async function sweepOrphans(calls: Calls, chunk: OrphanChunk, until = 0): Promise<OrphanResult> {
  const { absent, families, idleSeconds, trash = null } = chunk;
  const lists = families.map((family) => Bulk.of(family));
  const sending = trash?.send(lists);
  const trashed = sending === undefined ? [] : [sending.names, Bulk.of([sending.ttls])];
  const keys = [Bulk.of(absent), ...lists, ...trashed];
  const keepMs = trash?.keepMs ?? 0;
  const args = [absent.length, idleSeconds, keepMs, until, families.length, ...families.map((family) => family.length)];
  const { reply, ms } = await callScript(calls, SCRIPT, keys, args);
  const [born = 0, ...rest] = reply as number[];
  if (born === 0) return { swept: true, removed: rest, ms };
  return { swept: false, born: rest.map((at) => at - 1), ms };
}
