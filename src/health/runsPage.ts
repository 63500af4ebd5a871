/** runs page: past runs a page at a time, as people look through them; the first page also has those that only the queue knows. */
import { oursAmong, type Placed } from '../config/fingerprint.ts';
import type { Outcome, Trigger } from '../domain/report.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { PastRun } from '../ledger/runs/pastRun.ts';
import { writeCursor } from '../ledger/runs/query.ts';
import { type QueuedRun, readQueuedRuns, waits } from '../queue/runs/history.ts';
import type { Queues } from '../queue/queues.ts';
import { isAsked, stands } from './history.ts';

export interface RunsFilter {
  readonly target?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly trigger?: Trigger | undefined;
  /** Only those that removed anything. */
  readonly removed?: boolean | undefined;
  /** Only those that ended, or were last heard of, from this instant on, and before that one; in ms. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export interface RunsWanted {
  /** What is meant here by the names of targets: runs of what others mean by them are left out. */
  readonly targets: ReadonlyMap<string, Placed>;
  /** Where the page before ended; `null` for the first. */
  readonly cursor: string | null;
  /** Whether so many are enough. */
  readonly suffices: (runs: readonly PastRun[]) => boolean;
}

export interface RunsPage {
  /** The newest first. */
  readonly runs: readonly PastRun[];
  /** Those that wait, or failed before they began; the newest first. */
  readonly queued: readonly QueuedRun[];
  /** Where the next page begins; `null`: there are no more. */
  readonly cursor: string | null;
  /** How many parts of the ledger could not be read. */
  readonly damaged: number;
}

/** So many runs are read at once: where there are many targets, what costs is to find the newest page of each. */
const AT_ONCE = 120;
/** Once so much time has passed, in ms, nothing more is looked for: the page says where to go on. */
const ENOUGH_MS = 25;
/** And where there is nothing yet, after this. */
const LONGEST_MS = 50;
/** What only the queue knows is of late, or waits. */
const QUEUED = 10;

function queryOf({ target, outcome, trigger, removed, sinceMs }: RunsFilter) {
  return {
    ...(target === undefined ? {} : { target }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(trigger === undefined ? {} : { trigger }),
    ...(removed === undefined ? {} : { removed }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  };
}

/**
 * Reads on until `suffices` says so, or it has taken long enough; then there may be fewer. Rejects where the queue's Redis can't be read.
 */
export async function readRunsPage(
  queues: Queues,
  ledger: Ledger,
  filter: RunsFilter,
  { targets, cursor, suffices }: RunsWanted,
): Promise<RunsPage> {
  const isOurs = oursAmong(targets);
  const { removed, sinceMs, untilMs } = filter;
  // What only the queue knows removed nothing, and has not ended.
  const hasQueued = cursor === null && removed !== true && sinceMs === undefined && untilMs === undefined;
  const asked = hasQueued ? readQueuedRuns(queues.runs, QUEUED) : Promise.resolve([]);
  // Where the ledger fails first, nobody waits for it any more.
  asked.catch(() => {});
  const runs: PastRun[] = [];
  let damaged = 0;
  let next = cursor ?? (untilMs === undefined ? null : writeCursor({ atMs: untilMs, target: '', run: '' }));
  const until = performance.now() + ENOUGH_MS;
  do {
    const page = await ledger.history({
      ...queryOf(filter),
      isOurs,
      limit: AT_ONCE,
      cursor: next,
      mostMs: until + LONGEST_MS - ENOUGH_MS - performance.now(),
    });
    runs.push(...page.runs);
    damaged += page.damaged;
    next = page.cursor;
  } while (next !== null && !suffices(runs) && performance.now() < until);
  const queued = (await asked).filter(
    (job) => isAsked(job, filter, isOurs) && (filter.trigger === undefined || job.trigger === filter.trigger),
  );
  return { runs, queued: await onlyQueued(ledger, queued, { runs, isAll: next === null }), cursor: next, damaged };
}

/** Those that the ledger does not have, as far as it was read. */
async function onlyQueued(
  ledger: Ledger,
  queued: readonly QueuedRun[],
  { runs, isAll }: { readonly runs: readonly PastRun[]; readonly isAll: boolean },
): Promise<readonly QueuedRun[]> {
  const known = [...runs];
  const oldest = runs.at(-1);
  const isBeyond = (job: QueuedRun) => !isAll && oldest !== undefined && job.addedAtMs < oldest.atMs;
  // One that was added before all of these may stand further back, if it has ended; one that waits stands among those that are open.
  if (queued.some((job) => isBeyond(job) && waits(job))) {
    known.push(...(await ledger.openRuns()));
  }
  return queued.filter((job) => !stands(known, job) && (waits(job) || !isBeyond(job)));
}
