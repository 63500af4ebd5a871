/** query: what the address of the page with all runs asks for, and addresses that ask for something. */
import type { Request } from 'express';
import type { Trigger } from '../../domain/report.ts';
import type { RunsFilter } from '../../health/runsPage.ts';
import { RUN_OUTCOMES } from '../../ledger/runs/pastRun.ts';
import { withFields } from '../paths.ts';

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
    filter: {
      target: textIn(request, 'target'),
      outcome,
      trigger,
      removed,
      sinceMs: numberIn(request, 'since'),
      untilMs: numberIn(request, 'until'),
    },
    cursor: textIn(request, 'cursor') ?? null,
    find: textIn(request, 'find') ?? null,
    unfolded: textIn(request, 'each') !== undefined,
  };
}

/** The address that asks for this, changed so. */
export function pathOf({ filter, unfolded }: RunsQuery, cursor: string | null, each = unfolded): string {
  const { target, outcome, trigger, removed, sinceMs, untilMs } = filter;
  return withFields('/runs', {
    target,
    outcome,
    by: trigger,
    removed: removed ? 'yes' : undefined,
    since: sinceMs,
    until: untilMs,
    each: each ? 'yes' : undefined,
    cursor: cursor ?? undefined,
  });
}
