/** past run: what the ledger knows of a run, under way or ended. */
import type { Outcome, Report, Trigger } from '../../domain/report.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import type { Phases } from './phases.ts';

export const RUN_OUTCOMES: readonly Outcome[] = ['completed', 'refused', 'skipped', 'stopped', 'interrupted', 'failed'];

/** What a run is asked to do, as it stands in the ledger before it removes anything. */
export interface RunIdentity {
  readonly run: string;
  readonly target: string;
  /** Tells which target was meant by that name; empty where nobody said. */
  readonly fingerprint: string;
  readonly trigger: Trigger;
  /** Who asked for it; `null` where that is not known. */
  readonly by: string | null;
  /** When somebody asked for it, in ms, as its job has it; left out: as it began. */
  readonly addedAtMs?: number;
  readonly dryRun: boolean;
  /** How long what it removes stays in the trash, in ms; left out: it removes for good. */
  readonly trashMs?: number;
}

/** That alone, of whoever knows more. */
export function identityOf({ addedAtMs, trashMs, ...given }: RunIdentity): RunIdentity {
  const { run, target, fingerprint, trigger, by, dryRun } = given;
  const known = { run, target, fingerprint, trigger, by, dryRun };
  return { ...known, ...(addedAtMs === undefined ? {} : { addedAtMs }), ...(trashMs === undefined ? {} : { trashMs }) };
}

/** What a run has removed so far; a dry one, nothing. */
export interface Removed {
  readonly swept: number;
  /** Keys, members and fields. */
  readonly deleted: number;
}

export interface PastRun extends RunIdentity {
  /** `active`: under way; `waiting`: between two attempts; `ended`. */
  readonly state: 'active' | 'waiting' | 'ended';
  /** `null` until it ended. */
  readonly outcome: Outcome | null;
  /** By the clock of the queue's Redis, in ms. */
  readonly startedAtMs: number;
  /** When it ended, or was last heard of, in ms. */
  readonly atMs: number;
  readonly attempts: number;
  /** Why it ended so, or why the last attempt failed. */
  readonly reason: string | null;
  readonly removed: Removed;
  /** Left out of older runs, and of one that was in none. */
  readonly phases?: Phases;
  /** `null` where it has none: it is under way, or ended early and an older version noted that. */
  readonly report: Report | null;
  /** Of one that has not ended: its report as it stood when it was last heard of. */
  readonly soFar?: Report;
}

/**
 * Whether it is the run of a job of its number, which was added then: once a queue was emptied, it gives out the same numbers again.
 * @param addedAtMs by the clock of whoever added it, which may be ahead of all others
 */
export function isOfJob(run: Pick<PastRun, 'addedAtMs' | 'startedAtMs'>, addedAtMs: number): boolean {
  return run.addedAtMs === undefined ? run.startedAtMs >= addedAtMs : run.addedAtMs === addedAtMs;
}

/**
 * A run as it ended.
 * @param report left out: it has the one that it had reached
 */
export function endedAs(
  run: PastRun,
  outcome: Outcome,
  reason: string | null,
  report: Report | null = run.soFar ?? run.report,
): PastRun {
  const { soFar: _, ...rest } = run;
  if (report === null) return { ...rest, state: 'ended', outcome, reason, report };
  const told = { ...report, outcome, ...(reason === null ? {} : { reason }) };
  return { ...rest, state: 'ended', outcome, reason, report: told, removed: removedBy(report) };
}

export function removedBy({ coordinators, keys }: Report): Removed {
  return { swept: coordinators.swept, deleted: keys.deleted };
}

/** Whether a run looked at everybody. Those of older versions always did. */
export function isFullPass({ report }: PastRun): boolean {
  return (report?.pass ?? 'full') === 'full';
}

/** Which of the chains there may be for an outcome. */
interface Alike {
  /** Whether they removed anything; left out: all. */
  readonly removed?: boolean | undefined;
  /** Only those that looked at everybody. */
  readonly fullPass?: boolean | undefined;
}

/**
 * Runs are together in a chain that ended alike: so whoever asks for failures need not read what went well, nor whoever asks for
 * the last full pass the many that needed none.
 */
export function chainsOf(outcome: Outcome, { removed, fullPass = false }: Alike = {}): string[] {
  const without = fullPass || outcome !== 'completed' ? [outcome] : [outcome, `${outcome}-`];
  const chains = { with: [`${outcome}+`], without };
  if (removed !== undefined) return removed ? chains.with : chains.without;
  return [...chains.without, ...chains.with];
}

/** The chain of an ended run. */
export function chainOf(run: PastRun): string {
  const outcome = run.outcome ?? 'interrupted';
  if (run.removed.swept + run.removed.deleted > 0) return `${outcome}+`;
  return outcome === 'completed' && !isFullPass(run) ? `${outcome}-` : outcome;
}

const REQUIRED = {
  run: 'string',
  target: 'string',
  fingerprint: 'string',
  trigger: 'string',
  dryRun: 'boolean',
  state: 'string',
  startedAtMs: 'number',
  atMs: 'number',
  attempts: 'number',
  removed: 'object',
} as const;

/** A run as one line of JSON becomes a run again; throws `DamagedBlock` when it is none. */
export function parseRun(line: string): PastRun {
  let run: Record<string, unknown>;
  try {
    run = JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    throw new DamagedBlock('a run is no JSON', { cause: error });
  }
  const wrong = Object.entries(REQUIRED).find(([name, type]) => run?.[name] === null || typeof run?.[name] !== type);
  if (wrong !== undefined) throw new DamagedBlock(`a run has no ${wrong[0]}`);
  return run as unknown as PastRun;
}
