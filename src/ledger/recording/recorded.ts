/** recorded: a run that stands in the ledger, and what keeps it there: how far it is, and that it lives; and what brings it back where the
 *  server that took it died before its replica had it. */
import type { Blocks } from '../blocks.ts';
import { addLease, LEASE_MS, sendOpen, writeOpen, writeProgress } from '../runs/openRuns.ts';
import type { HistoryPage } from '../runs/history.ts';
import type { PastRun } from '../runs/pastRun.ts';
import type { PhaseWatch } from '../runs/phases.ts';
import type { BatchWriter } from '../swept/batchWriter.ts';
import type { SweptLog } from '../swept/sweptLog.ts';

export const RENEW_EVERY_MS = LEASE_MS / 4;

/** A run that stands in the ledger. */
export interface Recorded {
  readonly blocks: Blocks;
  readonly log: SweptLog;
  readonly batches: BatchWriter;
  readonly phases: PhaseWatch;
  run: PastRun;
  renewedAt: number;
  /** Progress that is being sent; `null`: none is. */
  renewal: Promise<void> | null;
}

/** Sends progress, and the lease where it is due; skipped while the last one is not answered. Never rejects. */
export async function renew(recorded: Recorded): Promise<void> {
  if (recorded.renewal !== null) return;
  recorded.renewal = send(recorded).finally(() => {
    recorded.renewal = null;
  });
  await recorded.renewal;
}

async function send(recorded: Recorded): Promise<void> {
  const { blocks, run } = recorded;
  const isDue = performance.now() - recorded.renewedAt >= RENEW_EVERY_MS;
  // Mostly there is one command alone, for which a pipeline costs more than the command.
  const lease = isDue ? sendOpen(blocks, run, addLease) : null;
  if (isDue) recorded.renewedAt = performance.now();
  try {
    const [stands] = await Promise.all([writeProgress(blocks, run), lease]);
    if (!stands) await standAgain(recorded);
  } catch {
    // A lease that was not taken is due again; meanwhile the run may be shown as interrupted.
    recorded.renewedAt = Number.NEGATIVE_INFINITY;
  }
}

/** Nobody else removes a run that has not ended: it went with the server that took it, or was not taken. */
async function standAgain({ blocks, run }: Recorded): Promise<void> {
  if ((await endOf(blocks, run)) !== null) return;
  await sendOpen(blocks, run, addLease);
  await writeOpen(blocks, run);
}

/** How a run ended since it began, as somebody else noted it; `null` where nobody has. Rejects as `Blocks` do. */
export async function endOf(
  blocks: Blocks,
  { run, target, startedAtMs }: Pick<PastRun, 'run' | 'target' | 'startedAtMs'>,
): Promise<PastRun | null> {
  // Hardly any run ever asks.
  const { readHistory } = await import('../runs/history.ts');
  const { KeptPages } = await import('../runs/keptPages.ts');
  const kept = new KeptPages();
  let cursor: string | null = null;
  do {
    const page: HistoryPage = await readHistory(blocks, kept, { run, target, sinceMs: startedAtMs, limit: 1, cursor });
    const ended = page.runs.find(({ state, atMs }) => state === 'ended' && atMs >= startedAtMs);
    if (ended !== undefined) return ended;
    cursor = page.cursor;
  } while (cursor !== null);
  return null;
}
