/** Redis addresses: which are understood, and how they are shown without their secrets. */
import { deploymentOf, namesSeveral } from './deployment.ts';

const SUPPORTED = ['redis:', 'rediss:', 'valkey:', 'valkeys:'];
const ALLOWED = 'redis://, rediss://, redis+cluster://, redis+sentinel:// or unix://';

/** Where a server listens that takes connections from this machine alone, and as whom to enter. */
export interface UnixSocket {
  readonly path: string;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
}

/** User and password, which hold no slash; the path of the socket; the database. */
const UNIX = /^unix:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\/[^?#]*[^/?#])(?:\?db=(\d{1,9}))?$/i;

/** What an address such as `unix://user:password@/run/redis.sock?db=1` says; `null` for every other. Throws where a "%" escapes nothing. */
export function unixSocketIn(url: string): UnixSocket | null {
  const [, username, password, path, db = '0'] = UNIX.exec(url) ?? [];
  if (path === undefined) return null;
  return {
    path: decodeURIComponent(path),
    db: Number(db),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  };
}

/** As whom to enter where an address leads, empty for nobody in particular; and whether by TLS. */
export function entryOf(url: string): {
  readonly encrypted: boolean;
  readonly username: string;
  readonly password: string;
} {
  const several = deploymentOf(url);
  if (several !== null && several.kind !== 'single') {
    return { encrypted: several.encrypted, username: several.username ?? '', password: several.password ?? '' };
  }
  const socket = unixSocketIn(url);
  if (socket !== null) {
    return { encrypted: false, username: socket.username ?? '', password: socket.password ?? '' };
  }
  const { protocol, username, password } = new URL(url);
  const encrypted = protocol.toLowerCase() === 'rediss:';
  return { encrypted, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** The same address in the scheme that the library knows: Valkey speaks what Redis does. */
export function inRedisScheme(url: string): string {
  return url.replace(/^valkey(s?)(\+\w+)?:/i, 'redis$1$2:');
}

/**
 * A URL as it may be printed: hosts and the names of users with a password stay, passwords and everything after `?` go. Where an unescaped
 * password may have been taken for a path or a port, everything before the last `@` goes.
 */
export function redactUrl(text: string): string {
  const start = /^[a-z0-9+.-]*:?\/\//i.exec(text)?.[0] ?? '';
  if (start.endsWith('://') && URL.canParse(text)) {
    const url = new URL(text);
    // A user name without a password is most often a password that lacks its colon.
    const user = url.password ? `${url.username}:***@` : url.username ? '***@' : '';
    const shown = `${url.protocol}//${user}${url.host}${url.pathname === '/' ? '' : url.pathname}`;
    if (!`${url.pathname}${url.search}${url.hash}`.includes('@')) return shown;
  }
  const at = text.lastIndexOf('@');
  const rest = at === -1 ? text.slice(start.length).replace(/^:.*$/s, ':***') : `***@${text.slice(at + 1)}`;
  return `${start}${rest}`.replace(/[?#].*$/s, '');
}

function isEscaped(text: string): boolean {
  try {
    return decodeURIComponent(text) !== null;
  } catch {
    return false;
  }
}

/** How the address of one server, or of sentinels, ends that names a database. */
const OTHER_DATABASE = /(?:\/\d{1,9}|\/?\?db=\d{1,9})$/;

/** Why one for several servers is none; `null` when it is one. */
function severalComplaint(text: string, shown: string): string | null {
  if (!isEscaped(text)) return `${shown} holds a "%" that escapes nothing; write %25 for it`;
  if (deploymentOf(inRedisScheme(text)) !== null) return null;
  const isCluster = /cluster/i.test(text.split('//', 1)[0] ?? '');
  if (
    isCluster &&
    OTHER_DATABASE.test(text) &&
    deploymentOf(inRedisScheme(text.replace(OTHER_DATABASE, ''))) !== null
  ) {
    return `${shown} names a database; of a cluster number 0 alone can be used: leave it out`;
  }
  return isCluster
    ? `${shown} is not the address of a cluster; write redis+cluster://user:password@host1:6379,host2:6379`
    : `${shown} is not the address of sentinels; write redis+sentinel://user:password@host1:26379,host2:26379/mymaster?db=0`;
}

/** Why a text is no Redis address; `null` when it is one. The sentence holds no secret. */
export function urlComplaint(text: string): string | null {
  const shown = JSON.stringify(redactUrl(text));
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(text)?.[1]?.toLowerCase();
  if (namesSeveral(text)) return severalComplaint(text, shown);
  if (scheme === 'unix:') {
    if (!isEscaped(text)) return `${shown} holds a "%" that escapes nothing; write %25 for it`;
    return unixSocketIn(text) === null
      ? `${shown} is not the address of a socket; write unix:///run/redis.sock or unix://user:password@/run/redis.sock?db=1`
      : null;
  }
  if (scheme === undefined || !SUPPORTED.includes(scheme)) return `${shown} is not a Redis URL; use ${ALLOWED}`;
  if (!URL.canParse(text)) return `${shown} is not a valid URL; write redis://user:password@host:6379/0`;
  const url = new URL(text);
  if (!isEscaped(url.username) || !isEscaped(url.password)) {
    return `${shown} holds a "%" in its user or password that escapes nothing; write %25 for it`;
  }
  // The library would take any option of its own from here.
  if (url.hash !== '' || !/^(\?family=[046])?$/.test(url.search)) {
    return `${shown} may end in ?family=4 or ?family=6, and in nothing else after the database; user and password stand before the host`;
  }
  if (url.hostname === '') return `${shown} names no host; write redis://host:6379/0`;
  if (!/^\/?\d*$/.test(url.pathname)) return `${shown} must end in a database number, as in redis://host:6379/0`;
  return null;
}
