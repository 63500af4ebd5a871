/** look at: whether the heartbeats of a chunk that were to go are as they were judged; removes nothing. */
import { asTaken } from '../call/asTaken.ts';
import { Bulk } from '../call/bulk.ts';
import type { Calls } from '../call/calls.ts';
import type { SweepChunk, SweepResult } from '../sweep.ts';

/**
 * What `sweep` says of them alone, in as many calls as the server takes: its answer names each that is not, and may be too large where that
 * to the chunk was.
 */
export async function lookAt(
  calls: Calls,
  { judged, heartbeats }: SweepChunk,
  sweep: (chunk: SweepChunk) => Promise<SweepResult>,
): Promise<SweepResult> {
  const looks = await asTaken(calls, 'look', heartbeats, async (from, to) => {
    const some = { keys: judged.keys.slice(from, to), proofs: judged.proofs.slice(from, to) };
    const look = await sweep({ judged: some, absent: new Bulk(), families: [], told: [], heartbeats: 0 });
    const among = (positions: readonly number[]) => positions.map((at) => from + at);
    return look.swept ? look : { ...look, revived: among(look.revived), vanished: among(look.vanished) };
  });
  const ms = Math.max(0, ...looks.map((look) => look.ms));
  const changed = looks.flatMap((look) => (look.swept ? [] : [look]));
  if (changed.length === 0) return { swept: true, removed: [], heartbeats: 0, missing: [], ms };
  const [revived, vanished] = [changed.flatMap((look) => look.revived), changed.flatMap((look) => look.vanished)];
  return { swept: false, revived, vanished, born: [], ms };
}
