/** explain: what a Redis error means, in a sentence with the way out. */
import { redactUrl } from '../config/redisUrl.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';
import type { KeySchema } from '../schema/keySchema.ts';
import { isKeyRefusal, patternsIn, Refused, refusedCommandIn } from './permissions.ts';
import { unreadyIn } from './unready.ts';

/** Inside a script, Redis does not name the command it refused. */
const REFUSED_IN_SCRIPT = /user executing the script can't run this command/i;

/**
 * Turns a permission error of Redis into a `DENIED` failure, which is worth no retry, and what says that Redis is not ready into
 * an `UNREACHABLE` one; leaves everything else as it is.
 */
export const explain = (
  error: unknown,
  { url, schema }: { readonly url: string; readonly schema: KeySchema },
): unknown => {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const denied = (sentence: string) =>
    new Failure('DENIED', `the user of ${redactUrl(url)} ${sentence}`, { cause: error });
  if (error instanceof Refused) return denied(sentenceOf(error));
  const command = refusedCommandIn(error);
  if (command !== null) return denied(`may not run ${command.toUpperCase()}; grant it +${command}`);
  if (REFUSED_IN_SCRIPT.test(error.message)) {
    return denied('may not run UNLINK, MGET or EXISTS; grant it +unlink +mget +exists');
  }
  if (isKeyRefusal(error)) {
    const patterns = patternsIn(schema).map((pattern) => `~${pattern}`);
    return denied(`may not touch all keys of the schema; grant it ${patterns.join(' ')}`);
  }
  const unready = unreadyIn(error);
  if (unready !== null) {
    return new Failure('UNREACHABLE', `Redis at ${redactUrl(url)} ${unready.what}; ${unready.advice}`, {
      cause: error,
    });
  }
  return error;
};
