/** refusal: why the queue's Redis takes no writes, in a sentence with the way out. */
import { Failure } from '../domain/failure.ts';

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/\bREADONLY\b/, 'it is a replica, which takes no writes; point QUEUE_REDIS_URL at the primary'],
  [/\bOOM\b/, 'it is full (maxmemory); free memory there, or give it more'],
];

/** What to tell of an error of the queue's Redis; the error itself where Redis' own words say as much. */
export function explainRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const reason = REASONS.find(([pattern]) => pattern.test(error.message))?.[1];
  return reason === undefined
    ? error
    : new Failure('UNREACHABLE', `the queue's Redis refuses: ${reason}`, { cause: error });
}
