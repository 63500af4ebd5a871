/** message: a notice as it is sent: the JSON, and the id by which whoever gets it twice knows it. */
import { createHash } from 'node:crypto';
import type { NoticeEvent, Standing } from '../domain/notice.ts';
import type { Report, Trigger } from '../domain/report.ts';

/** A run that ended for good. */
export interface EndedRun {
  readonly run: string;
  readonly target: string;
  /** Which Redis is meant by that name. */
  readonly fingerprint: string;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  readonly outcome: string;
  /** Why it ended so, in a sentence; `null` when there is nothing to say. */
  readonly reason: string | null;
  readonly attempts: number;
  /** In ms since the epoch. */
  readonly endedAt: number;
  /** `null` when it failed. */
  readonly report: Report | null;
}

export interface Message {
  readonly id: string;
  readonly event: NoticeEvent;
  readonly target: string;
  readonly body: string;
}

/** Sentences are short, but some repeat what a server said. */
const MOST_REASON = 1_000;

const ID_DIGITS = 32;

/** @param before how the run before left the target; `null`: nobody knows */
export function messageOf(event: NoticeEvent, ended: EndedRun, before: Standing | null): Message {
  const { run, target, fingerprint, trigger, dryRun, outcome, attempts, endedAt, report } = ended;
  const reason = ended.reason?.slice(0, MOST_REASON) ?? null;
  const at = new Date(endedAt).toISOString();
  // Not names: those of runs begin anew when the queue is emptied, and the specification allows no dot in an id.
  const id = createHash('sha256')
    .update(JSON.stringify([fingerprint, target, run, at, event]))
    .digest('hex');
  const body = JSON.stringify({
    type: `run.${event}`,
    timestamp: at,
    text: sentenceOf(event, ended, before),
    data: { event, before, target, run, trigger, dryRun, outcome, reason, attempts, ...numbersOf(report) },
  });
  return { id: `msg_${id.slice(0, ID_DIGITS)}`, event, target, body };
}

/** What of a report has a bounded size. */
function numbersOf(report: Report | null): object {
  if (report === null) return {};
  const { startedAt, finishedAt, durationMs, staleAfterSeconds, coordinators, held, keys } = report;
  const { found, deleted, orphans, byFamily } = keys;
  return {
    startedAt,
    finishedAt,
    durationMs,
    staleAfterSeconds,
    coordinators,
    ...(held === undefined ? {} : { held }),
    keys: { found, deleted, orphans, byFamily },
  };
}

function sentenceOf(event: NoticeEvent, { run, target, reason, report }: EndedRun, before: Standing | null): string {
  const which = `stalesweep: run ${run} of target "${target}"`;
  switch (event) {
    case 'failed':
    case 'refused':
      return `${which} ${event === 'failed' ? 'failed' : 'was refused'}: ${reason?.slice(0, MOST_REASON) ?? 'no reason was given'}`;
    case 'held': {
      const until = report?.held?.until ?? null;
      const count = report?.coordinators.held ?? 0;
      return `${which} holds ${count} coordinators that fell silent together${until === null ? '' : `, until ${until} at least`}`;
    }
    case 'recovered':
      return `${which} completed; the one before ${before === 'held' ? 'held some' : before === 'refused' ? 'was refused' : 'failed'}`;
  }
}
