/** query: what the address of the page with all runs asks for, and addresses that ask for something. */
import type { Request } from 'express';
import type { Trigger } from '../../domain/report.ts';
import type { RunsFilter } from '../../health/runsPage.ts';
import { type PastRun, RUN_OUTCOMES } from '../../ledger/runs/pastRun.ts';

export const TRIGGERS: Readonly<Record<Trigger, string>> = {
  schedule: 'schedule',
  manual: 'by hand',
  cli: 'command line',
};

export interface RunsQuery {
  readonly filter: RunsFilter;
  readonly cursor: string | null;
  /** An id whose runs are looked for; `null` for none. */
  readonly find: string | null;
  /** Whether each run has a row of its own. */
  readonly unfolded: boolean;
}

/** No id is longer: a key's name may be, but nobody pastes it. */
const MOST_TEXT = 4_096;

/** A field of the address; one that is empty, or there more than once, is not there. */
export function textIn(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' && value !== '' ? value.slice(0, MOST_TEXT) : undefined;
}

/** A whole number in it; `undefined` for anything else. */
export function numberIn(request: Request, name: string): number | undefined {
  const text = textIn(request, name);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Whatever is no outcome or trigger is not asked for. */
export function readQuery(request: Request): RunsQuery {
  const outcome = RUN_OUTCOMES.find((one) => one === textIn(request, 'outcome'));
  const trigger = (Object.keys(TRIGGERS) as Trigger[]).find((one) => one === textIn(request, 'by'));
  const removed = textIn(request, 'removed') === undefined ? undefined : true;
  return {
    filter: { target: textIn(request, 'target'), outcome, trigger, removed },
    cursor: textIn(request, 'cursor') ?? null,
    find: textIn(request, 'find') ?? null,
    unfolded: textIn(request, 'each') !== undefined,
  };
}

function withFields(path: string, fields: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The address that asks for this, changed so. */
export function pathOf({ filter, unfolded }: RunsQuery, cursor: string | null, each = unfolded): string {
  const { target, outcome, trigger, removed } = filter;
  return withFields('/runs', {
    target,
    outcome,
    by: trigger,
    removed: removed ? 'yes' : undefined,
    each: each ? 'yes' : undefined,
    cursor: cursor ?? undefined,
  });
}

/** The address of a run, with what finds it at once. */
export function runPath({ run, target, state, atMs }: Pick<PastRun, 'run' | 'target' | 'state' | 'atMs'>): string {
  return pathToRun(run, { target, at: state === 'ended' ? atMs : undefined });
}

/**
 * The address of a run, or of what is beneath it, as far as one knows.
 * @param fields `at`: when it ended; `during`: some time in it; both in ms
 */
export function pathToRun(
  run: string,
  fields: Readonly<Record<string, string | number | undefined>>,
  beneath = '',
): string {
  return withFields(`/runs/${encodeURIComponent(run)}${beneath}`, fields);
}
