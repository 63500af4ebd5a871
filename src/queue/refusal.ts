/** refusal: what an error of the queue's Redis means, in a sentence with the way out. */
import { Failure } from '../domain/failure.ts';
import { isElsewhere } from '../redis/call/answerCode.ts';
import { unreadyIn } from '../redis/connection/unready.ts';
import { isUntaken, notAllowedIn, saidIn } from '../redis/rights/refusals.ts';

const MOVING = 'the slot of the queue is going from node to node of the cluster; try again once it stays';

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/\bREADONLY\b/, 'it is a replica, which takes no writes; point QUEUE_REDIS_URL at the primary'],
  [/\bOOM\b/, 'it is full (maxmemory); free memory there, or give it more'],
];

/** What to tell of an error of the queue's Redis; the error itself where Redis' own words say as much. */
export function explainRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const unreachable = (sentence: string) => new Failure('UNREACHABLE', sentence, { cause: error });
  const reason = isElsewhere(error) ? MOVING : REASONS.find(([pattern]) => pattern.test(error.message))?.[1];
  if (reason !== undefined) return unreachable(`the queue's Redis refuses: ${reason}`);
  const unready = unreadyIn(error);
  if (unready !== null) return unreachable(`the queue's Redis ${unready.what}; ${unready.advice}`);
  const notAllowed = notAllowedIn(error);
  if (notAllowed !== null) return unreachable(notAllowed);
  return isUntaken(error) ? unreachable(`the queue's Redis says: ${saidIn(error)}`) : error;
}
