/** payload: what a job asks for. Anyone can put anything into a queue, so it is checked where it is added and again
 * where it is taken out. */
import * as v from 'valibot';
import { fingerprintOf } from '../../config/fingerprint.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { wholeSeconds } from '../../config/resolve.ts';
import { isPlainName, Misfit } from '../../config/values/shape.ts';
import { duration } from '../../config/values/values.ts';
import { Failure } from '../../domain/failure.ts';

const atLeastASecond = duration(1000);
const staleAfter = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    try {
      return atLeastASecond(value);
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      addIssue({ message: error.message });
      return NEVER;
    }
  }),
);

const PAYLOAD = v.strictObject({
  target: v.string(),
  dryRun: v.optional(v.boolean()),
  staleAfter: v.optional(staleAfter),
  trigger: v.optional(v.picklist(['schedule', 'manual', 'cli'])),
  force: v.optional(v.boolean()),
  fingerprint: v.optional(v.pipe(v.string(), v.maxLength(64))),
});

/** A job's data, as it is written. Everything but the target may be left out. */
export interface RunData {
  readonly target: string;
  readonly dryRun?: boolean | undefined;
  readonly staleAfter?: string | undefined;
  readonly trigger?: 'schedule' | 'manual' | 'cli' | undefined;
  readonly force?: boolean | undefined;
  /** Which Redis is meant by the target's name; `enqueue` writes it. */
  readonly fingerprint?: string | undefined;
}

/** A job's data, checked and completed. */
export interface RunPayload {
  readonly target: TargetConfig;
  readonly dryRun: boolean;
  readonly staleAfterSeconds: number;
  readonly trigger: 'schedule' | 'manual' | 'cli';
  readonly force: boolean;
}

/** What people write; the fingerprint is written for them. */
const FIELDS = Object.keys(PAYLOAD.entries)
  .filter((field) => field !== 'fingerprint')
  .join(', ');
const ALLOWED: Readonly<Record<string, string>> = {
  target: 'must be the name of a target',
  dryRun: 'must be true or false',
  trigger: 'must be "schedule", "manual" or "cli"',
  force: 'must be true or false',
  fingerprint: 'is written by stalesweep; leave it out',
};

/** A name from a job, in a line and of a length that a sentence can hold. */
export function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}

export function complain(sentence: string): Failure {
  return new Failure('JOB_DATA', `job data: ${sentence}`);
}

/** Why a job is not done by whoever means another Redis by the name of its target. */
function otherTarget(name: string): string {
  return `it is for another target "${name}" than the one configured here (address, database or schema differ); give each deployment a queue.prefix, or the same target the same "id"`;
}

function explain(issue: v.InferIssue<typeof PAYLOAD>): string {
  const field = issue.path?.[0].key;
  if (field !== undefined && !Object.hasOwn(PAYLOAD.entries, field as PropertyKey)) {
    return `unknown field ${shown(String(field))}; allowed: ${FIELDS}`;
  }
  if (field === undefined) return `must be an object such as {"target":"default"}; allowed fields: ${FIELDS}`;
  return `"${String(field)}" ${ALLOWED[String(field)] ?? issue.message}`;
}

/** Exactly these seconds, as a user would write them. */
function durationOf(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/**
 * The silence after which a run takes a coordinator for stale, in seconds: what is asked for, or else the target's.
 * Fails (`JOB_DATA`) when less is asked for than the target's `minStaleAfter`.
 */
export function staleAfterSecondsFor(target: TargetConfig, askedMs: number | undefined): number {
  if (askedMs === undefined) return target.staleAfterSeconds;
  const seconds = wholeSeconds(askedMs);
  if (seconds < target.minStaleAfterSeconds) {
    throw complain(
      `"staleAfter" of ${seconds}s is below the minStaleAfter of target "${target.name}"; ask for ${durationOf(target.minStaleAfterSeconds)} or more`,
    );
  }
  return seconds;
}

/** What a run that was joined does otherwise than was asked for, in words; `null` when nothing. */
export function differenceOf(asked: RunPayload, joined: RunPayload): string | null {
  const words = [
    asked.dryRun === joined.dryRun ? null : `it is a ${joined.dryRun ? 'dry' : 'real'} run`,
    asked.staleAfterSeconds === joined.staleAfterSeconds
      ? null
      : `its staleAfter is ${durationOf(joined.staleAfterSeconds)}`,
    asked.force === joined.force ? null : `it is ${joined.force ? '' : 'not '}forced`,
  ];
  return words.filter((word) => word !== null).join(', ') || null;
}

/** What a job says of the target it is for. */
export interface Addressee {
  readonly target: string;
  /** Missing in jobs that other programs add. */
  readonly fingerprint: string | undefined;
  readonly isScheduled: boolean;
}

function checked(data: unknown): v.InferOutput<typeof PAYLOAD> {
  // An array is an object, too.
  const result = v.safeParse(PAYLOAD, Array.isArray(data) ? null : data);
  if (!result.success) throw complain(explain(result.issues[0]));
  return result.output;
}

/** Whom a job is for. Fails (`JOB_DATA`) when its data is wrong whoever it is for. */
export function addresseeOf(data: unknown): Addressee {
  const { target, fingerprint, trigger } = checked(data);
  if (!isPlainName(target)) throw complain(`unknown target ${shown(target)}; a name has up to 64 plain characters`);
  return { target, fingerprint, isScheduled: trigger === 'schedule' };
}

/** Checks a job's data. Fails (`JOB_DATA`) with one sentence that says what is wrong and what is allowed. */
export function parsePayload(data: unknown, targets: ReadonlyMap<string, TargetConfig>): RunPayload {
  const { target: name, dryRun = false, staleAfter, trigger = 'manual', force = false, fingerprint } = checked(data);
  const target = targets.get(name);
  if (target === undefined) {
    throw complain(`unknown target ${shown(name)}; allowed: ${[...targets.keys()].join(', ')}`);
  }
  if (fingerprint !== undefined && fingerprint !== fingerprintOf(target)) throw complain(otherTarget(name));
  // Whoever asks.
  const observes = target.mode === 'observe';
  return {
    target,
    dryRun: dryRun || observes,
    trigger,
    force,
    staleAfterSeconds: staleAfterSecondsFor(target, staleAfter),
  };
}

/** Filled in only where it says what holds anyway: else whoever picks another target would give it the first one's.
 * A form fills in any typed field, were it with nothing; without a type it leaves the field out. */
function staleAfterSchema(targets: ReadonlyMap<string, TargetConfig>) {
  const description = 'The silence after which a coordinator is stale, such as 10m or 600s.';
  const [first, ...others] = new Set([...targets.values()].map((target) => target.staleAfterSeconds));
  if (first === undefined || others.length > 0) return { description };
  return { type: 'string', default: durationOf(first), description };
}

/** The same rules as JSON Schema, for a form that fills in and marks (Bull Board's "Add job"). */
export function payloadJsonSchema(targets: ReadonlyMap<string, TargetConfig>) {
  const names = [...targets.keys()];
  return {
    type: 'object',
    required: ['target'],
    additionalProperties: false,
    properties: {
      target: { type: 'string', enum: names, default: names[0], description: 'The target to clean.' },
      dryRun: { type: 'boolean', default: true, description: 'Count, but remove nothing.' },
      staleAfter: staleAfterSchema(targets),
      trigger: { type: 'string', enum: ['manual'], default: 'manual', description: 'Who asked for the run.' },
      force: { type: 'boolean', default: false, description: 'Run even when more than maxStaleFraction looks stale.' },
    },
  } as const;
}
