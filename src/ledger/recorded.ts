/** recorded: a run that stands in the ledger, and what keeps it there: how far it is, and that it lives. */
import type { Blocks } from './blocks.ts';
import { addLease, addProgress, type Commands, LEASE_MS } from './runs/openRuns.ts';
import type { PastRun } from './runs/pastRun.ts';
import type { PhaseWatch } from './runs/phases.ts';
import type { BatchWriter } from './swept/batchWriter.ts';
import type { SweptLog } from './swept/sweptLog.ts';

export const RENEW_EVERY_MS = LEASE_MS / 4;

/** A run that stands in the ledger. */
export interface Recorded {
  readonly blocks: Blocks;
  readonly log: SweptLog;
  readonly batches: BatchWriter;
  readonly phases: PhaseWatch;
  readonly timer: NodeJS.Timeout;
  run: PastRun;
  renewedAt: number;
  progressedAt: number;
  renewing: boolean;
}

/** Adds how far it has come, and the lease where it is due. */
export function addTo(recorded: Recorded, commands: Commands): void {
  addProgress(recorded.blocks, recorded.run, commands);
  if (performance.now() - recorded.renewedAt < RENEW_EVERY_MS) return;
  addLease(recorded.blocks, recorded.run, commands);
  recorded.renewedAt = performance.now();
}

/** Sends progress, and the lease where it is due; skipped while the last one is not answered. */
export async function renew(recorded: Recorded): Promise<void> {
  if (recorded.renewing) return;
  recorded.renewing = true;
  const commands = recorded.blocks.redis.pipeline();
  addTo(recorded, commands);
  const replies = await commands.exec().catch(() => null);
  // A lease that was not taken is due again; meanwhile the run may be shown as interrupted.
  if (replies === null || replies.some(([error]) => error !== null)) recorded.renewedAt = Number.NEGATIVE_INFINITY;
  recorded.renewing = false;
}
