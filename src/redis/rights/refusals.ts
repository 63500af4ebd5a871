/** refusals: what an error says of a command: that this user may not run it, or that the server takes it from nobody. */
import { sentenceOf } from '../../domain/failure.ts';
import { answerOf } from '../call/answerCode.ts';
import { clusterAnswerIn } from '../connection/cluster.ts';
import { unreadyIn } from '../connection/unready.ts';

/** How Redis says that a user may not do something: by a command, and from 7.2 on by one in a script. */
const NOT_PERMITTED = /NOPERM|ACL failure in script/;
const COMMAND_REFUSED = new RegExp(`(?:${NOT_PERMITTED.source}).*?'([a-z|]+)' command`, 'i');
const KEY_REFUSED = new RegExp(`(?:${NOT_PERMITTED.source}).*(?:key|access)`, 'i');
/** In a script Redis did not name the command before 7.2; the channel it never does. */
const REFUSED_IN_SCRIPT =
  /user executing the script can't (?:run this command|publish)|ACL failure in script: .*channel/i;

/** The command that Redis says the user may not run, as ACLs name it; `null` for every other error. */
export function refusedCommandIn(error: unknown): string | null {
  return error instanceof Error ? (COMMAND_REFUSED.exec(error.message)?.[1]?.toLowerCase() ?? null) : null;
}

/** Whether Redis refused a key rather than a command. */
export function isKeyRefusal(error: Error): boolean {
  return refusedCommandIn(error) === null && !isRefusedInScript(error) && KEY_REFUSED.test(error.message);
}

/** Whether Redis refused something in a script without saying which command, or which channel, that was. */
export function isRefusedInScript(error: Error): boolean {
  return REFUSED_IN_SCRIPT.test(error.message);
}

/** What Redis says of the state it is in, not of the command: that it is full, does not know a script yet, keeps no idle times, has no such key; or that a call of ours came too late. */
const OF_STATE = /^(?:OOM|NOSCRIPT|NOAUTH|EXECABORT|LATE)\b|LFU maxmemory policy|without MULTI|no such key/;

/**
 * Whether a server takes a command from nobody, as rented ones do, each in words of its own: so it is whatever it answers that is
 * no refusal of a user's, nor says that this is not the moment.
 */
export function isUntaken(error: unknown): error is Error {
  if (!(error instanceof Error) || error.name !== 'ReplyError' || NOT_PERMITTED.test(error.message)) return false;
  if (isRefusedInScript(error) || OF_STATE.test(error.message) || OF_STATE.test(answerOf(error))) return false;
  return unreadyIn(error) === null && clusterAnswerIn(error) === null;
}

/** Whether the user may not run a command, or nobody may. */
export function isRefusal(error: unknown): boolean {
  return refusedCommandIn(error) !== null || isUntaken(error);
}

const USER = "the user of the queue's Redis";

/** @param commands as ACLs name them */
export function mayNotRun(commands: readonly string[]): string {
  const named = commands.join(', ').replaceAll('|', ' ').toUpperCase();
  return `${USER} may not run ${named}; grant it ${commands.map((command) => `+${command}`).join(' ')}`;
}

/** What the user of the queue's Redis may not do, with the way out; `null` where an error says nothing of that. */
export function notAllowedIn(error: unknown): string | null {
  const command = refusedCommandIn(error);
  if (command !== null) return mayNotRun([command]);
  if (!(error instanceof Error)) return null;
  if (isRefusedInScript(error))
    return `${USER} may not run all that a queue's scripts call; grant it +@all -@dangerous +info +role`;
  return isKeyRefusal(error) ? `${USER} may not touch all keys of the queue; grant it those of its prefix` : null;
}

/** What the queue's Redis did not do, in one line: that it is not ready, or its user may not, with the way out; of what else it said, what `saidIn` leaves. */
export function wordsOf(error: unknown): string {
  const unready = unreadyIn(error);
  if (unready !== null) return `Redis ${unready.what}; ${unready.advice}`;
  const notAllowed = notAllowedIn(error);
  if (notAllowed !== null) return notAllowed;
  return error instanceof Error && error.name === 'ReplyError' ? saidIn(error) : sentenceOf(error);
}

/** The most of what a server said that is told again. */
const MOST_SAID = 160;

/** What Redis said, in one line: without where in which script, and without what a command that it does not know was given. */
export function saidIn({ message }: Error): string {
  const said = message
    .replace(/^(?:ERR Error running script [^:]*: )?(?:@user_script: ?\d+: )+-?/, '')
    .replace(
      /\s*(?:script: (?:[0-9a-f]{40}|on @user_script).*|&?\s*stack traceback.*|, with args beginning with:.*)$/is,
      '',
    );
  const line = said.replace(/\s+/g, ' ');
  return line.length > MOST_SAID ? `${line.slice(0, MOST_SAID)}…` : line.replace(/[.,;\s]+$/, '');
}
