/** history: past runs as people are shown them: those that stand in the ledger, and of the queue's those that do not (P13).
 *
 * A run stands in the ledger once it has begun. One that still waits, or failed before it began, is only in the queue.
 */
import { oursAmong, type Placed } from '../config/fingerprint.ts';
import { isoOf } from '../domain/instant.ts';
import type { Outcome, Report } from '../domain/report.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isOfJob, type PastRun } from '../ledger/runs/pastRun.ts';
import { type QueuedRun, readQueuedRuns, waits } from '../queue/runs/history.ts';
import type { Queues } from '../queue/queues.ts';

export interface HistoryRow {
  readonly run: string;
  /** `null` where its job does not say. */
  readonly target: string | null;
  /** `completed`, `failed`, `interrupted`, `stopped`; `active`; `waiting`, `delayed` (between two attempts). */
  readonly state: string;
  /** ISO 8601; `null` when whoever added it gave it an impossible time. */
  readonly addedAt: string | null;
  /** Who asked for it: a person at a terminal or a page, or else `schedule`, `manual`, `cli`; `null` where its job does not say. */
  readonly by: string | null;
  readonly attempts: number;
  readonly failedReason: string | null;
  /** Of one that ended without, `null`. */
  readonly report: Report | null;
}

export interface HistoryFilter {
  readonly limit: number;
  /** What is meant here by the names of targets: runs of what others mean by them are left out. */
  readonly targets: ReadonlyMap<string, Placed>;
  readonly target?: string | undefined;
  readonly outcome?: Outcome | undefined;
  /** Only those that removed anything. */
  readonly removed?: boolean | undefined;
}

/** The newest first, at most `limit`; those that wait are among them, however old they are. Rejects where the queue's Redis can't be read. */
export async function readHistory(queues: Queues, ledger: Ledger, filter: HistoryFilter): Promise<HistoryRow[]> {
  const [recorded, queued] = await Promise.all([
    recordedRuns(ledger, filter),
    // What only the queue knows has removed nothing.
    filter.removed === true ? [] : readQueuedRuns(queues.runs, filter.limit),
  ]);
  const isOurs = oursAmong(filter.targets);
  const rows = [
    ...recorded.map((run) => ({ at: run.startedAtMs, row: rowOf(run) })),
    ...queued
      .filter((job) => isAsked(job, filter, isOurs) && !stands(recorded, job))
      .map((job) => ({ at: job.addedAtMs, row: queuedRow(job) })),
  ];
  const inOrder = rows.sort((a, b) => b.at - a.at).map(({ row }) => row);
  // However old one is that waits, it is yet to come.
  let left = filter.limit - inOrder.filter(waits).length;
  return inOrder.filter((row) => waits(row) || left-- > 0).slice(0, filter.limit);
}

/** Whether it is one of those that stand in the ledger. */
export function stands(recorded: readonly PastRun[], { run, addedAtMs }: QueuedRun): boolean {
  return recorded.some((past) => past.run === run && isOfJob(past, addedAtMs));
}

async function recordedRuns(ledger: Ledger, filter: HistoryFilter): Promise<PastRun[]> {
  const { limit, target, outcome, removed, targets } = filter;
  const isOurs = oursAmong(targets);
  const runs: PastRun[] = [];
  let cursor: string | null = null;
  do {
    const page = await ledger.history({
      limit: limit - runs.length,
      cursor,
      isOurs,
      ...(target === undefined ? {} : { target }),
      ...(outcome === undefined ? {} : { outcome }),
      ...(removed === undefined ? {} : { removed }),
    });
    runs.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== null && runs.length < limit);
  return runs;
}

/** How a run ended as BullMQ would say it, and what it has no word for. */
function stateOf({ state, outcome }: PastRun): string {
  if (state !== 'ended') return state;
  return outcome === 'failed' || outcome === 'interrupted' || outcome === 'stopped' ? outcome : 'completed';
}

/** Why it ended so; of one that left no report also what it had removed, as far as it had told (P13). */
function reasonOf({ state, reason, report, removed: { swept, deleted } }: PastRun): string | null {
  if (state !== 'ended' || report !== null || swept + deleted === 0) return reason;
  return `${reason ?? 'it gave no reason'}; by then it had swept ${swept} coordinators and removed ${deleted} things`;
}

/** A run of the ledger as a row of the history. */
export function rowOf(run: PastRun): HistoryRow {
  const { by, trigger, attempts, report, target, startedAtMs, addedAtMs = startedAtMs } = run;
  const state = stateOf(run);
  return {
    run: run.run,
    target,
    state,
    addedAt: isoOf(Math.min(addedAtMs, startedAtMs)),
    by: by ?? trigger,
    attempts,
    failedReason: state === 'completed' ? null : reasonOf(run),
    report,
  };
}

/** Whether a run that the queue knows is one of those that are asked for. */
export function isAsked(
  { target, fingerprint, report, state }: QueuedRun,
  filter: Pick<HistoryFilter, 'target' | 'outcome'>,
  isOurs: ReturnType<typeof oursAmong>,
): boolean {
  if (filter.target !== undefined && filter.target !== target) return false;
  if (target !== null && !isOurs({ target, fingerprint })) return false;
  return filter.outcome === undefined || filter.outcome === (report?.outcome ?? state);
}

function queuedRow({ addedAtMs: _, fingerprint: __, trigger, ...row }: QueuedRun): HistoryRow {
  return { ...row, by: row.by ?? trigger };
}
