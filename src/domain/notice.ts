/** notice: how a run left its target, and whether that is news to somebody who is not looking. */
import type { Report } from './report.ts';

/** What notices may be about, as the setting `on` lists it. */
export const NOTICE_EVENTS = ['failed', 'refused', 'held', 'recovered'] as const;

export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

/** How a run left its target. */
export type Standing = 'well' | Exclude<NoticeEvent, 'recovered'>;

/** How a run that ended so left its target; `null` when it says nothing of it: it was skipped, stopped or cut off. */
export function standingAfter(outcome: string | null, report: Report | null): Standing | null {
  if (outcome === 'failed' || outcome === 'refused') return outcome;
  if (outcome !== 'completed') return null;
  return (report?.coordinators.held ?? 0) > 0 ? 'held' : 'well';
}

/**
 * What is to be told of a run, `null` for nothing. Trouble that goes on is told once.
 * @param before how the run before left the target; `null`: nobody knows
 * @param asked whether a person asked for the run: to them it is news in any case
 */
export function eventOf(now: Standing, before: Standing | null, asked: boolean): NoticeEvent | null {
  if (now !== 'well') return now !== before || asked ? now : null;
  return before === null || before === 'well' ? null : 'recovered';
}
