/** explain: what a Redis error means, in a sentence with the way out. */
import { redactUrl } from '../config/redisUrl.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';

/** Redis names the command it refused: by itself, or, inside a script, only that there was one. */
const REFUSED_COMMAND = /NOPERM.*?'([a-z|]+)' command/i;
const REFUSED_IN_SCRIPT = /user executing the script can't run this command/i;
const REFUSED_KEY = /NOPERM.*(?:key|access)/i;

/**
 * Turns a permission error of Redis into a `DENIED` failure, which is worth no retry; leaves everything else as it is.
 */
export const explain = (error: unknown, url: string): unknown => {
  if (error instanceof Failure) return error;
  const message = sentenceOf(error);
  const where = `the user of ${redactUrl(url)}`;
  const command = REFUSED_COMMAND.exec(message)?.[1];
  if (command !== undefined) {
    return new Failure('DENIED', `${where} may not run ${command.toUpperCase()}; grant it +${command}`, {
      cause: error,
    });
  }
  if (REFUSED_IN_SCRIPT.test(message)) {
    return new Failure('DENIED', `${where} may not run UNLINK, MGET or EXISTS; grant it +unlink +mget +exists`, {
      cause: error,
    });
  }
  if (REFUSED_KEY.test(message)) {
    return new Failure('DENIED', `${where} may not touch all keys of the schema; grant it their patterns with ~`, {
      cause: error,
    });
  }
  return error;
};
