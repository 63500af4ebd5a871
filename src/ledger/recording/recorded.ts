/** recorded: a run that stands in the ledger, and what keeps it there: how far it is, and that it lives; and what brings it back where the
 *  server that took it died before its replica had it. */
import type { Blocks } from '../blocks.ts';
import { untilTaken, within } from './patience.ts';
import { addLease, LEASE_MS, sendOpen, writeOpen, writeProgress } from '../runs/openRuns.ts';
import type { HistoryPage } from '../runs/history.ts';
import { identityOf, type PastRun, type RunIdentity } from '../runs/pastRun.ts';
import { PhaseWatch } from '../runs/phases.ts';
import { BatchWriter } from '../swept/batchWriter.ts';
import { SweptLog } from '../swept/sweptLog.ts';

export const RENEW_EVERY_MS = LEASE_MS / 4;

/** How long a run waits for what must stand there before it goes on without, in ms. */
export const PATIENCE_MS = 2_000;

export interface RunToRecord extends RunIdentity {
  /** The names of the families, in the order of all counts. */
  readonly families: readonly string[];
  /** From 1 on; left out: one more than the ledger knows of. */
  readonly attempt?: number;
  /** Whether the names of what is swept are kept, too, which takes several times the room. */
  readonly withNames?: boolean;
  /** Whether somebody may have ended it who was taken for gone: then how he did it stands. */
  readonly again?: boolean;
  /** How long its end is repeated to a Redis that does not take it, in ms, asked again after each try. @default 5,000 */
  readonly insistMs?: () => number;
  /**
   * Aborted when the run is not this process' to do any more. With it, nothing goes without a record: the beginning, and who is to go, are
   * repeated to a Redis that is away until it takes them. Left out: the run goes on without a record after two seconds.
   */
  readonly until?: AbortSignal;
  /**
   * Whether the run cleans the very server that keeps its record: what it removes makes room there, so that once it has begun it waits
   * for the record no longer than without `until`.
   */
  readonly makesRoom?: boolean;
}

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

/**
 * What there is of a run that begins, or goes on from what stands of it.
 * @param nameBytes what names of keys may take in a batch; 0: they are not kept
 * @param onTrouble told when a batch was not taken
 */
export function recordedOf(
  blocks: Blocks,
  wanted: RunToRecord,
  nameBytes: number,
  nowMs: number,
  earlier: PastRun | null,
  onTrouble: (error: unknown) => void,
): Recorded {
  const { families, attempt } = wanted;
  const run: PastRun = {
    ...identityOf(wanted),
    state: 'active',
    outcome: null,
    startedAtMs: earlier?.startedAtMs ?? nowMs,
    atMs: nowMs,
    attempts: attempt ?? (earlier?.attempts ?? 0) + 1,
    reason: null,
    removed: earlier?.removed ?? { swept: 0, deleted: 0 },
    report: null,
    ...(earlier?.soFar === undefined ? {} : { soFar: earlier.soFar }),
  };
  const batches = new BatchWriter(blocks, run, families, nowMs, onTrouble);
  return {
    blocks,
    run,
    batches,
    phases: new PhaseWatch(earlier?.phases),
    log: new SweptLog(async (batch, number) => await batches.write(batch, number), nameBytes),
    renewedAt: performance.now(),
    renewal: null,
  };
}

/** Sends progress, and the lease where it is due; skipped while the last one is not answered. Never rejects. */
export async function renew(recorded: Recorded): Promise<void> {
  if (recorded.renewal !== null) return;
  recorded.renewal = send(recorded).finally(() => {
    recorded.renewal = null;
  });
  await recorded.renewal;
}

/**
 * Resolves once what is being written stands in the ledger; rejects after two seconds without. With `until`, as `untilTaken` does: it is
 * repeated to a Redis that is away.
 */
export async function untilStands(
  { batches }: Recorded,
  written: Promise<void>,
  until: AbortSignal | undefined,
): Promise<void> {
  if (until === undefined) return await within(PATIENCE_MS, async () => await written);
  await untilTaken(until, async () => {
    await written;
    await batches.again();
  });
}

/** Writes all that is known of who was to go, as `SweptLog.flush` does; rejects where that is not taken. */
export async function writeRest({ log, batches }: Recorded, isWhole: boolean): Promise<void> {
  await log.flush(isWhole);
  await batches.settle();
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
