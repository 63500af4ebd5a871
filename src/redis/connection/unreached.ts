/** unreached: why a server was not reached, and what to do about it, from what the library and the system say. */

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

const CLOSED = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Why a server was not reached, in the words of an operator.
 * @param error what the library said last, if anything
 */
export function reasonOf(error: Error | undefined, encrypted: boolean): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  const closed = error === undefined || CLOSED.has(code) || error.message === 'Connection is closed.';
  if (closed && !encrypted) return 'it closed the connection; if it speaks TLS, use rediss://';
  // Whether its reason or only the end of the connection arrives is a matter of luck.
  if (closed || code.includes('CERTIFICATE_REQUIRED')) {
    return 'it closed the connection; if it asks for a certificate, set STALESWEEP_TLS_CERT';
  }
  if (UNKNOWN_AUTHORITY.has(code)) {
    return 'its certificate comes from an authority that is not trusted here; name a file with it in STALESWEEP_TLS_CA';
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
  if (/WRONGPASS|invalid (username-)?password/i.test(error.message)) return 'it refused the user name or password';
  if (/NOAUTH/.test(error.message)) return 'it asks for a password';
  return error.message;
}

/** What a server says on its own before it closes, where that is why it can't be used; `null` for anything else. */
export function lastWords(text: string): string | null {
  const [, refusal] = /^-(?:ERR )?((?:max number of clients|DENIED )[^.\r\n]*)/.exec(text) ?? [];
  if (refusal !== undefined) return `it says: ${refusal}`;
  const [, protocol] = /^(HTTP|SSH)[/-]/.exec(text) ?? [];
  return protocol === undefined ? null : `what answers there speaks ${protocol}; it is no Redis`;
}
