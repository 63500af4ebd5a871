/** explain: what a Redis error means, in a sentence with the way out. */
import { redactUrl } from '../../config/values/redisUrl.ts';
import { Failure, sentenceOf } from '../../domain/failure.ts';
import type { KeySchema } from '../../schema/keySchema.ts';
import { type Besides, needsBesides } from '../rights/besides.ts';
import { ConnectionLost, isLate } from '../call/lost.ts';
import { CLUSTER, clusterAnswerIn } from './cluster.ts';
import { Refused } from '../rights/missing.ts';
import { patternsFor } from '../rights/permissions.ts';
import { isKeyRefusal, isRefusedInScript, refusedCommandIn, saidIn } from '../rights/refusals.ts';
import { unreadyIn } from './unready.ts';

/**
 * Turns a permission error of Redis into a `DENIED` failure, which is worth no retry, and what says that Redis is not ready, not
 * there any more, or anything else that it answers, into an `UNREACHABLE` one; leaves what Redis did not say as it is.
 */
export function explain(
  error: unknown,
  { url, ...wanted }: Besides & { readonly url: string; readonly schema: KeySchema },
): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const denied = (sentence: string) => new Failure('DENIED', sentence, { cause: error });
  const unreachable = (sentence: string) => new Failure('UNREACHABLE', sentence, { cause: error });
  const [server, user] = [`Redis at ${redactUrl(url)}`, `the user of ${redactUrl(url)}`];
  if (error instanceof Refused) return denied(`${error.whose === 'user' ? user : server} ${sentenceOf(error)}`);
  const command = refusedCommandIn(error);
  const channels = needsBesides(wanted).channels.map((channel) => `&${channel}`);
  if (command !== null) return denied(`${user} may not run ${command.toUpperCase()}; grant it +${command}`);
  if (isRefusedInScript(error)) {
    const commands = ['unlink', 'mget', 'exists', ...needsBesides(wanted).commands];
    const named = `${commands.slice(0, -1).join(', ')} or ${commands.at(-1)}`.toUpperCase();
    const grants = [...commands.map((command) => `+${command}`), ...channels];
    return denied(`${user} may not run ${named}; grant it ${grants.join(' ')}`);
  }
  if (isKeyRefusal(error)) {
    const patterns = [...patternsFor(wanted).map((pattern) => `~${pattern}`), ...channels];
    return denied(`${user} may not touch all keys of the schema; grant it ${patterns.join(' ')}`);
  }
  const elsewhere = clusterAnswerIn(error);
  if (elsewhere !== null) return denied(`${server} ${CLUSTER.what} (${elsewhere}); ${CLUSTER.advice}`);
  const unready = unreadyIn(error);
  if (unready !== null) return unreachable(`${server} ${unready.what}; ${unready.advice}`);
  if (isLate(error)) return unreachable(`${server} did not answer in time, again and again`);
  if (error instanceof ConnectionLost) return unreachable(`the connection to ${server} was lost, again and again`);
  return error.name === 'ReplyError' ? unreachable(`${server} says: ${saidIn(error)}`) : error;
}
