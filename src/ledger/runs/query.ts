/** query: which past runs are asked for, and where a page of them begins. */
import type { Outcome, Trigger } from '../../domain/report.ts';
import { chainsOf, isFullPass, type PastRun, RUN_OUTCOMES } from './pastRun.ts';

export interface HistoryQuery {
  readonly target?: string;
  readonly outcome?: Outcome;
  /** Only those that removed anything, or only those that did not. */
  readonly removed?: boolean;
  /** Only those that were asked for so. */
  readonly trigger?: Trigger;
  /** Only those that looked at everybody, so that their counts are of all there were (`pass`). */
  readonly fullPass?: true;
  /** Which runs are asked for: several deployments may call different targets alike. Left out: all. */
  readonly isOurs?: (run: Pick<PastRun, 'target' | 'fingerprint' | 'trigger'>) => boolean;
  /** Only runs with this id. */
  readonly run?: string;
  /** Only those that ended, or were last heard of, then or later, in ms. */
  readonly sinceMs?: number;
  /** How many, at least 1. */
  readonly limit: number;
  /** Once it has taken so long, in ms, and some have been looked at, it says where to go on, though it has found fewer. Left out: no matter. */
  readonly mostMs?: number;
  /** Where the page before ended, as that said. */
  readonly cursor?: string | null;
}

/** A place between two runs: before it are those that are newer. */
export interface Cursor {
  readonly atMs: number;
  readonly target: string;
  readonly run: string;
}

const CURSOR = /^(\d+)\/([^/]*)\/(.*)$/s;

export function writeCursor({ atMs, target, run }: Cursor): string {
  return `${atMs}/${target}/${run}`;
}

/** What `writeCursor` wrote; `null` when it is something else. */
export function readCursor(text: string): Cursor | null {
  const [, atMs, target = '', run = ''] = CURSOR.exec(text) ?? [];
  return atMs === undefined ? null : { atMs: Number(atMs), target, run };
}

/** Positive when `a` is the newer one; among those of one instant the names decide. */
export function compare(a: Cursor, b: Cursor): number {
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  const [one, other] = [`${a.target}/${a.run}`, `${b.target}/${b.run}`];
  return one === other ? 0 : one < other ? -1 : 1;
}

/** The chains in which there may be some. */
export function chainsFor({ outcome, removed, fullPass }: HistoryQuery): string[] {
  const outcomes = outcome === undefined ? RUN_OUTCOMES : [outcome];
  return outcomes.flatMap((one) => chainsOf(one, { removed, fullPass }));
}

/** Whether it is one of those that are asked for, wherever the page begins. */
export function isAsked(run: PastRun, query: HistoryQuery): boolean {
  const removed = run.removed.swept + run.removed.deleted > 0;
  return (
    (query.target === undefined || query.target === run.target) &&
    (query.outcome === undefined || query.outcome === run.outcome) &&
    (query.removed === undefined || query.removed === removed) &&
    (query.trigger === undefined || query.trigger === run.trigger) &&
    (query.sinceMs === undefined || query.sinceMs <= run.atMs) &&
    (query.fullPass === undefined || isFullPass(run)) &&
    (query.run === undefined || query.run === run.run) &&
    (query.isOurs === undefined || query.isOurs(run))
  );
}
