/** finality: a finished run is final. Its end is sealed before its job's; a job that comes back all the same keeps its report,
 * and what was wanted with it is done by a new run. */
import { UnrecoverableError } from '../../src/queue/bullmq.ts';
import type { TargetConfig } from '../../src/config/resolve.ts';
import { sentenceOf } from '../../src/domain/failure.ts';
import type { Report } from '../../src/domain/report.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import type { Queues } from '../../src/queue/queues.ts';
import { backProgress, type End, type Sealed, sealedProgress } from '../../src/queue/runs/sealed.ts';
import type { RunJob } from './journal.ts';

/** Seals how a run ended, as long as its job's lock is held. Where the queue can't take it, it can't take the job's end either. */
export async function seal(job: RunJob, token: string, lockMs: number, end: End): Promise<void> {
  try {
    if ((await job.extendLock(token, lockMs)) === 0) return;
    await job.updateProgress(sealedProgress(job, end));
    if ('report' in end && end.report.outcome !== 'completed') {
      await job.log(`${end.report.outcome}: ${end.report.reason ?? 'nothing was removed'}`);
    }
  } catch {
    // BullMQ tells of the queue's outage.
  }
}

/** Ends a job that came back as its run had ended, and asks for a new run with the same data. Throws when the run had failed. */
export async function endAgain(
  queues: Queues,
  targets: ReadonlyMap<string, TargetConfig>,
  job: RunJob,
  { end, backAt }: Sealed,
): Promise<Report> {
  const [seconds, micros] = await queues.connection.time();
  const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  await job.updateProgress(backProgress(job.progress, backAt ?? now));
  const { fingerprint: _, ...data } = job.data;
  try {
    const { run } = await enqueue(queues.runs, targets, { ...data, trigger: 'manual' });
    await job.log(`this run had ended before; run ${run} does anew what it was asked for`);
  } catch (error) {
    await job.log(`this run had ended before, and can't be asked for anew: ${sentenceOf(error)}`);
  }
  if ('report' in end) return end.report;
  const failure = new UnrecoverableError(end.failure);
  failure.stack = `${failure.name}: ${failure.message}`;
  throw failure;
}

/** The clock of whoever asked for the run may be ahead of the queue's by so much. */
const CLOCKS_APART_MS = 3_600_000;

/**
 * How a run ended whose job has not: its worker died in between, or the queue's server, before a replica had the job's end. It is not
 * done again. `null` where it has not ended, as far as can be told.
 */
export async function standingEnd(ledger: Ledger, job: RunJob, sealed: Sealed | null): Promise<End | null> {
  if (sealed !== null) return sealed.end;
  if (job.stalledCounter === 0) return null;
  const target: unknown = job.data?.target;
  if (typeof target !== 'string') return null;
  const wanted = {
    run: String(job.id),
    target,
    startedAtMs: Math.max(0, (Number(job.timestamp) || 0) - CLOCKS_APART_MS),
  };
  const past = await ledger.endOf(wanted).catch(() => null);
  if (past === null || past.outcome === 'interrupted') return null;
  const { outcome, reason, report } = past;
  return outcome === 'failed' || report === null ? { failure: reason ?? 'it failed' } : { report };
}
