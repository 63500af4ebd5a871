/** past runs: those of the last day, and of each target at least the last hundred, kept in mind: asked again, only what is new is
 * read from the ledger. */
import { fingerprintOf, mayBeOf } from '../config/fingerprint.ts';
import type { TargetConfig } from '../config/resolve.ts';
import type { Outcome, Report } from '../domain/report.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { SeenPages } from '../ledger/runs/endedSince.ts';
import type { HistoryQuery } from '../ledger/runs/query.ts';
import { isFullPass, type PastRun } from '../ledger/runs/pastRun.ts';

const DAY_MS = 86_400_000;
/** So many of each target are kept in mind, however old. */
const LAST_RUNS = 100;
/** Among so many is one of what was asked for, though the newest be under way, or of another Redis. */
const FEW = 5;
/** Two that end at the same moment may be noted one after the other. */
const OVERLAP_MS = 10_000;

/** Of an ended run what charts show. */
export interface RunSummary {
  readonly run: string;
  /** When it ended, in ms. */
  readonly atMs: number;
  readonly outcome: Outcome;
  readonly dryRun: boolean;
  readonly swept: number;
  readonly deleted: number;
  /** `null` where it left no report. */
  readonly durationMs: number | null;
  /** What it deleted, by family; `null` where that was nothing. */
  readonly byFamily: Readonly<Record<string, number>> | null;
}

/** A run that left a report. */
export type Reported = PastRun & { readonly report: Report };

export interface TargetPast {
  /** The oldest first. */
  readonly runs: readonly RunSummary[];
  /** The last that ended. */
  readonly last: PastRun | null;
  /** The last that looked at all coordinators: of the Redis and schema that are configured now. */
  readonly pass: Reported | null;
  /** The last that removed anything. */
  readonly sweep: PastRun | null;
}

interface Kept {
  runs: RunSummary[];
  last: PastRun | null;
  pass: Reported | null;
  sweep: PastRun | null;
}

const NONE: TargetPast = { runs: [], last: null, pass: null, sweep: null };

export class PastRuns {
  readonly #byTarget = new Map<string, Kept>();
  readonly #fingerprints: ReadonlyMap<string, string>;
  #seen: SeenPages = new Map();
  /** Up to when all is known, in ms; `null` before the first look. */
  #knownMs: number | null = null;

  constructor(
    private readonly ledger: Ledger,
    private readonly targets: ReadonlyMap<string, TargetConfig>,
  ) {
    this.#fingerprints = new Map([...targets].map(([name, target]) => [name, fingerprintOf(target)]));
  }

  of(target: string): TargetPast {
    return this.#byTarget.get(target) ?? NONE;
  }

  /** Reads what is new. Rejects with the error of Redis when the ledger can't be read; what is known stays. */
  async refresh(): Promise<void> {
    const nowMs = Date.now();
    // Whoever emptied the database emptied the past.
    if (this.#knownMs !== null && (await this.ledger.targets()).length === 0) this.#forget();
    const first = this.#knownMs === null;
    let newestMs = this.#knownMs ?? 0;
    const sinceMs = first ? nowMs - DAY_MS : newestMs - OVERLAP_MS;
    const ended = this.ledger.endedSince(sinceMs, this.#seen);
    let next = await ended.next();
    for (; !next.done; next = await ended.next()) {
      newestMs = Math.max(newestMs, next.value.atMs);
      this.#add(next.value);
    }
    this.#seen = next.value;
    if (first) await this.#readBack();
    this.#knownMs = Math.max(newestMs, sinceMs);
    for (const kept of this.#byTarget.values()) prune(kept, nowMs);
  }

  #forget(): void {
    this.#seen = new Map();
    this.#byTarget.clear();
    this.#knownMs = null;
  }

  /** Of targets with few runs a day those before, too. */
  async #readBack(): Promise<void> {
    for (const target of this.targets.keys()) {
      const few = this.of(target).runs.length < LAST_RUNS;
      const page = few ? await this.ledger.history({ target, limit: LAST_RUNS }) : { runs: [] };
      for (const run of page.runs) if (run.state === 'ended' && run.outcome !== null) this.#add(run);
      // Where nobody can be stale for long, far more runs than that have needed no look since.
      const { pass, sweep } = this.of(target);
      if (pass === null) await this.#readBackTo({ target, outcome: 'completed', fullPass: true });
      if (sweep === null) await this.#readBackTo({ target, removed: true });
    }
  }

  async #readBackTo(query: Omit<HistoryQuery, 'limit'>): Promise<void> {
    const { runs } = await this.ledger.history({ ...query, limit: FEW });
    for (const run of runs) if (run.state === 'ended') this.#add(run);
  }

  #add(run: PastRun): void {
    const target = this.targets.get(run.target);
    // What another deployment means by that name is no past of this target.
    if (target === undefined || !mayBeOf(target, run.fingerprint) || run.outcome === null) return;
    let kept = this.#byTarget.get(run.target);
    if (kept === undefined) {
      kept = { runs: [], last: null, pass: null, sweep: null };
      this.#byTarget.set(run.target, kept);
    }
    const { runs } = kept;
    let at = runs.length;
    while (at > 0 && (runs[at - 1]?.atMs ?? 0) > run.atMs) at--;
    for (let i = at - 1; i >= 0 && runs[i]?.atMs === run.atMs; i--) if (runs[i]?.run === run.run) return;
    runs.splice(at, 0, summaryOf(run, run.outcome));
    kept.last = newer(kept.last, run);
    if (isPass(run, this.#fingerprints.get(run.target) ?? '')) kept.pass = newer(kept.pass, run);
    if (run.removed.swept + run.removed.deleted > 0) kept.sweep = newer(kept.sweep, run);
  }
}

function newer<T extends PastRun>(known: T | null, run: T): T {
  return known !== null && known.atMs >= run.atMs ? known : run;
}

/** One that was stopped, or skipped, or needed to look at few or nobody, has not seen all. */
function isPass(run: PastRun, fingerprint: string): run is Reported {
  if (run.report === null || !isFullPass(run) || (run.outcome !== 'completed' && run.outcome !== 'refused'))
    return false;
  return run.fingerprint === '' || run.fingerprint === fingerprint;
}

function summaryOf({ run, atMs, dryRun, removed, report }: PastRun, outcome: Outcome): RunSummary {
  const { swept, deleted } = removed;
  const byFamily = report !== null && deleted > 0 ? report.keys.byFamily : null;
  return { run, atMs, outcome, dryRun, swept, deleted, durationMs: report?.durationMs ?? null, byFamily };
}

function prune(kept: Kept, nowMs: number): void {
  const old = kept.runs.findIndex(({ atMs }) => atMs >= nowMs - DAY_MS);
  const today = old < 0 ? 0 : kept.runs.length - old;
  kept.runs.splice(0, kept.runs.length - Math.max(today, LAST_RUNS));
}
