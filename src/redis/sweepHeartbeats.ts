/** sweepHeartbeats: the door to `lua/sweepHeartbeats.lua`. */
import type { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

export const SWEEP_HEARTBEATS = loadScript('sweepHeartbeats');

/** Removes those heartbeats of one slot that are as their proofs say; resolves to how many went. At most 100 at once. */
export async function sweepHeartbeats(calls: Calls, keys: Bulk, proofs: Bulk): Promise<number> {
  const { reply } = await callScript(calls, SWEEP_HEARTBEATS, [keys], [proofs]);
  return Number(reply);
}
