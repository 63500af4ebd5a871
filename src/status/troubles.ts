/** troubles: what keeps runs from coming, or needs a person, each in a sentence. */
import type { Finding } from '../health/finding.ts';
import { findingsOf, type QueueState } from '../health/queueState.ts';
import type { Span } from '../ledger/targets/outages.ts';
import type { Unserving } from './reach.ts';
import type { RunSummary, TargetPast } from './pastRuns.ts';

export type TroubleKind =
  | 'queue'
  | 'work'
  | 'unreachable'
  | 'refusing'
  | 'outage'
  | 'held'
  | 'refused'
  | 'failing'
  | 'interrupted'
  | 'stopped';

export interface Trouble {
  readonly kind: TroubleKind;
  /** `null`: it is the queue's, and so everybody's. */
  readonly target: string | null;
  /** Whether a person is needed now; else it is worth knowing. */
  readonly grave: boolean;
  /** One word for it. */
  readonly word: string;
  readonly sentence: string;
  /** What to do about it; `null` where nothing needs to be done. */
  readonly advice: string | null;
}

/** Words for what health found of the queue. */
const WORDS: Readonly<Record<string, string>> = {
  writes: 'No writes',
  pause: 'Paused',
  'rate limit': 'Slowed',
  workers: 'No worker',
  schedules: 'No schedule',
};

/** Those of the queue, from what is known of it. */
export function queueTroubles(state: QueueState): Trouble[] {
  return findingsOf(state)
    .filter(({ status }) => status !== 'ok')
    .map(({ check, message, advice }: Finding) => ({
      kind: 'work',
      target: null,
      grave: ['writes', 'workers', 'pause'].includes(check),
      word: WORDS[check] ?? 'Queue',
      sentence: `${message[0]?.toUpperCase()}${message.slice(1)}.`,
      advice,
    }));
}

/** The queue's Redis does not answer. */
export function queueUnreachable(why: string): Trouble {
  const sentence = `The queue does not answer: ${why}. What is shown is the last that was known.`;
  return { kind: 'queue', target: null, grave: true, word: 'Out of reach', sentence, advice: null };
}

/** What is known of a target. */
export interface Circumstances {
  readonly target: string;
  readonly past: TargetPast;
  /** Why it does not answer, or takes no writes; `null` where it does, or nobody asked. */
  readonly unreachable: Unserving | null;
  /** When it did not answer or took no writes, within the last hour. */
  readonly outages: readonly Span[];
  readonly nowMs: number;
}

/** A span that ended so lately may not have ended yet: whoever watches looks every few seconds. */
const FRESH_MS = 10_000;
const AGAIN_AND_AGAIN = 2;

const ADVICE = {
  refusing: 'look at that Redis: nobody can beat there, and runs remove nothing until it takes writes again',
  address: 'mend its address in the configuration, and start workers and dashboard anew',
  credentials: 'mend user and password in its address in the configuration, and start workers and dashboard anew',
  server: 'look at that Redis; what is shown of it is as of its last run, and runs go on by themselves once it answers',
} as const;

/** What to do about a target that does not answer for this reason. */
function adviceFor(why: string): string {
  if (/user name or password|asks for a password/.test(why)) return ADVICE.credentials;
  return /host name is not known/.test(why) ? ADVICE.address : ADVICE.server;
}

/** Those of a target. */
export function targetTroubles(circumstances: Circumstances): Trouble[] {
  const { target, past, unreachable, outages, nowMs } = circumstances;
  const troubles: Trouble[] = [];
  const add = (kind: TroubleKind, grave: boolean, word: string, sentence: string, advice: string | null = null) =>
    troubles.push({ kind, target, grave, word, sentence, advice });
  const outage = outages.at(-1);
  const isOver = outage === undefined || nowMs - outage.toMs >= FRESH_MS;
  const sinceThen = outage === undefined || isOver ? '' : ` since ${instant(outage.fromMs)}`;
  if (unreachable !== null) {
    const { answers, why } = unreachable;
    const [writes, says] = sinceThen === '' ? ['takes', 'does not answer'] : ['has taken', 'has not answered'];
    if (answers)
      add('refusing', true, 'No writes', `The target ${writes} no writes${sinceThen}: ${why}.`, ADVICE.refusing);
    else add('unreachable', true, 'Out of reach', `The target ${says}${sinceThen}: ${why}.`, adviceFor(why));
  } else if (outage !== undefined) {
    const lasted = `from ${instant(outage.fromMs)} ${isOver ? `to ${instant(outage.toMs)}` : 'until now'}`;
    add(
      'outage',
      !isOver,
      'Outage',
      `The target did not answer, or took no writes, ${lasted}: that time counts as nobody's silence.`,
    );
  }
  const held = past.pass?.report.coordinators.held ?? 0;
  if (past.pass !== null && held > 0) add('held', true, 'Held', heldSentence(past.pass.report, held));
  const failed = failedInARow(past.runs);
  const last = past.last;
  if (last?.outcome === 'failed') {
    const reason = last.reason === null ? '' : `: ${last.reason}`;
    const times = failed.length < AGAIN_AND_AGAIN ? 'The last run' : `The last ${failed.length} runs`;
    const since = failed.length < AGAIN_AND_AGAIN ? '' : ` since ${instant(failed[0]?.atMs ?? last.atMs)}`;
    add('failing', true, 'Failing', `${times} failed${since}${reason}.`);
  } else if (last?.outcome === 'refused') {
    add('refused', true, 'Refused', `The last run removed nothing: ${last.reason ?? 'a guard refused it'}.`);
  } else if (last?.outcome === 'interrupted') {
    add('interrupted', false, 'Interrupted', `The last run was interrupted: ${last.reason ?? 'its process ended'}.`);
  }
  return troubles;
}

function heldSentence({ held, coordinators }: NonNullable<TargetPast['pass']>['report'], count: number): string {
  const all = count + coordinators.active + coordinators.stale;
  const since = held === undefined ? '' : ` since ${instant(Date.parse(held.since))}`;
  const until = held?.until ? ` The first go at ${instant(Date.parse(held.until))} if they stay silent.` : '';
  return `${count.toLocaleString('en-US')} of ${all.toLocaleString('en-US')} coordinators have fallen silent together${since}.${until}`;
}

/** Those that failed since one last did not. */
function failedInARow(runs: readonly RunSummary[]): readonly RunSummary[] {
  const ended = runs.findLastIndex(({ outcome }) => outcome !== 'failed');
  return runs.slice(ended + 1);
}

/** As ISO 8601 has it, in UTC, to the second: pages show it in the viewer's zone. */
function instant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}
