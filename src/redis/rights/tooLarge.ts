/** tooLarge: a server, or what stands before it, that takes or answers only so much at once, as rented ones do: so many arguments, so
 *  many bytes, so many elements of a reply. What it says then; what is done about it, `call/asTaken` and the target's node do.
 *  (https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded,
 *  https://www.dragonflydb.io/docs/managing-dragonfly/flags#--max_multi_bulk_len)
 */

/** By which Redis says something else. */
const CODE = /^(?!ERR\b)[A-Z]{3,} /;
/** Each server has words of its own. */
const LARGE =
  /\btoo (?:many|large|big|long)\b|\bexceed|\bover the\b|\bmax(?:imum)?\b|\blimit|\b(?:larger|longer|more|greater) than\b|\binvalid (?:multi)?bulk length\b/i;
/** What else they limit, which smaller calls would only make worse, or not change. */
const OF_OTHERS =
  /\b(?:memory|clients?|connections?|quota|rate|databases?|throttl\w*|users?)\b|\brequests? (?:limit|per|count)\b|\btoo many (?:requests|commands)\b|\b(?:daily|monthly|hourly)\b|\bper (?:second|minute|day)\b|unpack|unknown command/i;
const OF_REQUEST =
  /\b(?:requests?|args?|arguments?|parameters?|keys|commands?|quer(?:y|ies)|(?:multi)?bulk|payload)\b/i;
const OF_ANSWER = /\b(?:responses?|repl(?:y|ies)|results?|answers?|outputs?|returned|script)\b/i;

const undone = new WeakSet<Error>();

/** The same error, of which it is known that nothing was done: what it answers for only read. */
export function asUndone(error: Error): Error {
  undone.add(error);
  return error;
}

/** Whether a call, or its answer, was refused for its size. */
export function isTooLarge(error: unknown): error is Error {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return false;
  return !CODE.test(error.message) && LARGE.test(error.message) && !OF_OTHERS.test(error.message);
}

/** Whether a call that writes may have been done that was refused for its size: what some say of a call others say of its answer. */
export function isInDoubt(error: unknown): error is Error {
  return isTooLarge(error) && !undone.has(error);
}

/** Whether it was refused in words of an answer, or of neither. */
export function isAnswerTooLarge(error: unknown): boolean {
  if (!isInDoubt(error)) return false;
  return OF_ANSWER.test(error.message) || !OF_REQUEST.test(error.message);
}
