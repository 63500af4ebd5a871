/** standing: how many coordinators are in which state once a run has ended, by its report. */
import type { Report } from './report.ts';

export interface Standing {
  /** All that beat within the threshold, those at risk among them. */
  readonly active: number;
  /** Of the active ones those that have been silent for more than half of the threshold. */
  readonly atRisk: number;
  /** Those that the run left: all of them after a dry or refused one, nobody after one that completed. */
  readonly stale: number;
  readonly unreadable: number;
  readonly held: number;
  readonly protected: number;
}

/** Of the tenths of the threshold in a report's `silence`, the first beyond half of it. */
const AT_RISK_FROM = 5;

/**
 * How many have been silent for how long once a run has ended, by tenths of the threshold, the last beyond it: whom it swept is gone, and who
 * was revived has just beaten. `null` in reports of older runs, which do not say.
 */
export function silenceOf({ coordinators: { swept, revived }, silence }: Pick<Report, 'coordinators' | 'silence'>) {
  const [latest, beyond] = [silence?.at(0), silence?.at(-1)];
  if (silence === undefined || latest === undefined || beyond === undefined) return null;
  return [latest + revived, ...silence.slice(1, -1), Math.max(0, beyond - swept - revived)];
}

/** Reports of older runs do not say all of it: what is not there counts as nobody. */
export function standingOf({ coordinators, silence = [] }: Pick<Report, 'coordinators' | 'silence'>): Standing {
  const { active, stale, unreadable, swept, revived, held = 0, protected: spared = 0 } = coordinators;
  const atRisk = silence.slice(AT_RISK_FROM, -1).reduce((sum, count) => sum + count, 0);
  return {
    active: active + revived,
    atRisk: Math.min(atRisk, active),
    stale: Math.max(0, stale - swept - revived),
    unreadable,
    held,
    protected: spared,
  };
}
