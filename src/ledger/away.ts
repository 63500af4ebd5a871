/** away: whether the ledger's Redis does not answer, which passes, or refuses what it was asked, which does not. */
import { isElsewhere, isForMemory } from '../redis/call/answerCode.ts';
import { unreadyIn } from '../redis/connection/unready.ts';

/** As the client library, and whoever calls by it, names what it says itself: that the connection was lost, or nobody answered. */
const NO_REPLY = new Set(['Error', 'AbortError', 'MaxRetriesPerRequestError', 'ConnectionLost']);

/** Whether an error says that Redis does not answer, or not at this moment; and nothing of what it was asked. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return NO_REPLY.has(error.name) || unreadyIn(error) !== null || isForMemory(error) || isElsewhere(error);
}
