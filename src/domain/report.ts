/** report: what a run returns. `--json` prints exactly this; BullMQ keeps it as the job's return value. */
import type { Why } from './heartbeat.ts';
import type { Pass } from './horizon.ts';

/**
 * `stopped`, `interrupted` and `failed` say that the run ended early: its counts are those that it had reached. `failed` stands in the
 * ledger alone.
 */
export type Outcome = 'completed' | 'refused' | 'skipped' | 'stopped' | 'interrupted' | 'failed';
/** How chunks were swept: one script call, or WATCH + MULTI where scripts are refused. */
export type Strategy = 'script' | 'transaction' | 'cluster';
export type Trigger = 'schedule' | 'manual' | 'cli';

export interface Report {
  /** Its id: in the queue, in the ledger, in the address of its page. */
  readonly run: string;
  /** The name of the target. */
  readonly target: string;
  /** Who asked for it: the schedule, somebody by hand or by the library, or the command line. */
  readonly trigger: Trigger;
  /** Whether it removed nothing since it was to remove nothing. */
  readonly dryRun: boolean;
  /** How it ended. */
  readonly outcome: Outcome;
  /**
   * How far it looked (domain/horizon). Only after a `full` pass do its counts tell of everybody: whoever shows how many there are
   * goes by the last report whose pass is `full`. With `due` they are of those few that were looked at, with `none` all are 0: nobody
   * could be stale. Reports of versions before 0.2 do not say, and are `full`.
   */
  readonly pass: Pass;
  /**
   * Why nothing was removed, or the run ended early: present unless the outcome is `completed`, and in a run that met no heartbeat of
   * its schema although the database holds keys.
   */
  readonly reason?: string;
  /** ISO 8601, UTC, by the clock of the queue's Redis; without a queue, by that of the machine. */
  readonly startedAt: string;
  /** The same, for its end. */
  readonly finishedAt: string;
  /** From the start of the first attempt to the end of the last. */
  readonly durationMs: number;
  /** The threshold it judged by. */
  readonly staleAfterSeconds: number;
  /** checked = active + stale + unreadable + held + protected; stale = swept + revived, except in a dry or refused run. */
  readonly coordinators: CoordinatorCounts;
  /** Where stale ones are held (P12): since when, and from when on the first of them may be swept; ISO 8601, UTC. */
  readonly held?: { readonly since: string; readonly until: string | null };
  /** How many coordinators have been silent for how long, by tenths of the threshold; the last: for longer than that. */
  readonly silence: readonly number[];
  /** What it removed; in a dry run, what it would have. */
  readonly keys: KeyCounts;
  /** What it cost Redis. */
  readonly redis: {
    /** Commands sent to the target. */
    readonly calls: number;
    /** The slowest of them, as the worker saw it. */
    readonly slowestCallMs: number;
    /** How much less memory Redis used afterwards; 0 when others wrote more than was freed, and when nobody looked. */
    readonly memoryFreedBytes: number;
    /**
     * In a dry run: what a real one would free, from a sample of each family. Left out where Redis does not tell what a key takes,
     * or not to this user.
     */
    readonly memoryEstimateBytes?: number;
  };
  /** Script calls (or transactions) that removed keys. */
  readonly chunks: number;
  /** How things were removed. */
  readonly strategy: Strategy;
  /** Which attempt of it this was, from 1 on. */
  readonly attempts: number;
  /** The heartbeats that could not be judged, by reason, in the order of `WHYS`; a reason that nobody gave is left out. */
  readonly unreadable: readonly UnreadableGroup[];
  /** Of a cluster, where there are any: keys that a node shows and no longer owns. */
  readonly unowned?: UnownedKeys;
}

/** Whether somebody looked how much memory was freed: nobody does where a run was cut off. */
export function knowsFreed({ outcome }: Pick<Report, 'outcome'>): boolean {
  return outcome !== 'interrupted' && outcome !== 'failed';
}

/** How a run ended, in a word: of one that completed and held somebody, that. */
export function endOf({ outcome, coordinators }: Pick<Report, 'outcome' | 'coordinators'>): Outcome | 'held' {
  return outcome === 'completed' && (coordinators.held ?? 0) > 0 ? 'held' : outcome;
}

/** Heartbeats that could not be judged for one reason. */
export interface UnreadableGroup {
  readonly why: Why;
  readonly count: number;
  /** The first names met, at most `UNREADABLE_SAMPLE`, as UTF-8. */
  readonly sample: readonly string[];
}

/** Keys that a node of a cluster shows though another one serves their slot: nobody can ask for them, so they stay. */
export interface UnownedKeys {
  /** Of those that the schema names. */
  readonly count: number;
  /** The first names met, at most `UNREADABLE_SAMPLE`, as UTF-8. */
  readonly sample: readonly string[];
}

export interface CoordinatorCounts {
  /** All that were met. */
  readonly checked: number;
  /** Silent for no longer than the threshold. */
  readonly active: number;
  /** Silent for longer, and to be swept. */
  readonly stale: number;
  /** They can't be judged, and are kept. */
  readonly unreadable: number;
  /** Silent beyond the threshold, and kept since too many fell silent together (P12). */
  readonly held: number;
  /** Silent beyond the threshold, and kept since an operator says so (`protect`). */
  readonly protected: number;
  /** How many of the stale had no heartbeat any more (P11). */
  readonly lapsed: number;
  /** Everything they left is gone; 0 in a dry run. */
  readonly swept: number;
  /** They beat again after they were judged, and were kept whole; 0 in a dry run. */
  readonly revived: number;
}

export interface KeyCounts {
  /** Keys seen to exist that were to go. */
  readonly found: number;
  /** Those that went; 0 in a dry run. */
  readonly deleted: number;
  /** How many of them are in the trash, and take memory still; only where there is one. */
  readonly trashed?: number;
  /** Keys none of whose coordinators has a heartbeat; `null` when the run had no reason to look for them. */
  readonly orphans: number | null;
  /**
   * Keys that a scan met and that a stale coordinator could own, a lapsed one too, and that stay since one that is active, unreadable,
   * held or protected could own them as well (P2), as it stood when it was told whose they are. 0 when the run had no reason to look
   * for keys, and when it was refused. What no scan is needed for is not counted: its name follows from the id alone.
   */
  readonly kept: number;
  /** What was deleted, or, in a dry run, found. */
  readonly byFamily: Readonly<Record<string, number>>;
}

/** How many unreadable heartbeats a report names for each reason. */
export const UNREADABLE_SAMPLE = 10;
