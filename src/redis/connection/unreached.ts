/** unreached: why a server was not reached, and what to do about it, from what the library and the system say. */

import { redactUrl } from '../../config/values/redisUrl.ts';
import { deploymentOf } from '../../config/values/deployment.ts';
import type { Address } from '../../config/values/tls.ts';
import { Failure } from '../../domain/failure.ts';
import type { Redis } from './ioredis.ts';
import { overhear, overhearTls } from './overheard.ts';
import { sentinelReason } from './sentinel.ts';
import { unreadyIn } from './unready.ts';

/** What is said when an answer takes too long. */
export const LATE = 'no answer in time';

/** What TLS makes of an authority that nobody told it of. */
const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What a server says of a certificate that it does not take: expired, revoked, of an authority that it does not know. */
const REFUSED_CERTIFICATE = /^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA)/;

const CLOSED = new Set(['ECONNRESET', 'EPIPE']);

const WRONG_PASSWORD = /WRONGPASS|invalid (username-)?password/i;

/**
 * Whether a server that answers let nobody in, by what `connect` or a command failed with: a user, a password, a certificate or a right that it does not take. That
 * says nothing of those who are in.
 */
export function isTurnedAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { message } = error;
  const { code = '' } = error as NodeJS.ErrnoException;
  const isRefused = WRONG_PASSWORD.test(message) || /NOAUTH|NOPERM/.test(message) || REFUSED_CERTIFICATE.test(code);
  return isRefused || (error instanceof Failure && (error.code === 'DENIED' || isTurnedAway(error.cause)));
}

/** Whether the server closed the connection, as far as the library says. */
function isClosed(error: Error): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return CLOSED.has(code) || error.message === 'Connection is closed.';
}

/**
 * Why a server was not reached, in the words of an operator.
 * @param error what the library said last, if anything
 */
export function reasonOf(error: Error | undefined, encrypted: boolean): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  const closed = error === undefined || isClosed(error);
  if (closed && !encrypted) return 'it closed the connection; if it speaks TLS, use rediss://';
  // Whether its reason or only the end of the connection arrives is a matter of luck.
  if (closed || code.includes('CERTIFICATE_REQUIRED')) {
    return 'it closed the connection; if it asks for a certificate, set STALESWEEP_TLS_CERT';
  }
  if (UNKNOWN_AUTHORITY.has(code)) {
    return 'its certificate comes from an authority that is not trusted here; name a file with it in STALESWEEP_TLS_CA';
  }
  if (code === 'CERT_HAS_EXPIRED') return "its certificate has expired, by this machine's clock";
  if (code === 'CERT_NOT_YET_VALID') return "its certificate is not valid yet, by this machine's clock";
  if (REFUSED_CERTIFICATE.test(code)) {
    return 'it does not take the certificate it is shown; renew what STALESWEEP_TLS_CERT names';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another name';
  if (/^(EPROTO|ERR_SSL_)/.test(code)) return 'TLS could not be agreed on; without TLS, use redis://';
  if (code === 'ENOENT') return 'its socket does not exist';
  if (code === 'EACCES') return 'its socket may not be used by this user';
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its host name is not known';
  if (code === 'ETIMEDOUT' || error.message === 'connect ETIMEDOUT' || error.message === LATE) {
    return encrypted ? `${LATE}; if it does not speak TLS, use redis://` : LATE;
  }
  if (WRONG_PASSWORD.test(error.message)) return 'it refused the user name or password';
  if (/NOAUTH/.test(error.message)) return 'it asks for a password';
  return error.message;
}

/** What was heard before a server was given up. */
interface Heard {
  readonly error: unknown;
  readonly lastError: Error | undefined;
  readonly saidSentinel: Error | undefined;
  readonly said: string | null;
}

/** Why a server can't be reached, in a sentence; a server that only closes is listened to once more. */
export async function failureOf(
  { options: { path, host = '127.0.0.1', port = 6379 } }: Redis,
  { url, tls }: Address,
  { error, lastError, saidSentinel, said }: Heard,
): Promise<Failure> {
  const server = `Redis at ${redactUrl(url)}`;
  for (const cause of [error, lastError]) {
    const unready = unreadyIn(cause);
    if (unready !== null) return new Failure('UNREACHABLE', `${server} ${unready.what}; ${unready.advice}`, { cause });
  }
  const encrypted = isEncrypted(url);
  const sentinels = deploymentOf(url);
  const unnamed = sentinels?.kind === 'sentinel' ? sentinelReason(saidSentinel, sentinels.name) : null;
  const heard = lastError ?? (error instanceof Error ? error : undefined);
  const at = path ? { path } : { host, port };
  const mayHaveSpoken = said === null && sentinels?.kind !== 'sentinel' && heard && isClosed(heard);
  const unasked = mayHaveSpoken && !encrypted ? await overhear(at) : null;
  // It says what is wrong with a certificate, or only closes: that, too, is lost on whoever speaks meanwhile.
  const last = (mayHaveSpoken && encrypted ? await overhearTls(at, tls) : null) ?? heard;
  const reason = unnamed ?? said ?? unasked ?? reasonOf(last, encrypted);
  return new Failure('UNREACHABLE', `${server} could not be reached: ${reason}`, { cause: last ?? error });
}

export function isEncrypted(url: string): boolean {
  return /^rediss(\+(sentinel|cluster))?:/i.test(url);
}
