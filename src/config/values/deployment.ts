/** deployment: which servers an address names: one, some nodes of a cluster, or sentinels and what they watch.
 *
 *      redis://…  rediss://…  unix://…                                  one server
 *      redis+cluster://user:password@h1:6379,h2:6379                    some nodes of a cluster; the others are learned from these
 *      redis+sentinel://user:password@h1:26379,h2:26379/mymaster?db=0   sentinels, the name of the primary, its database
 *
 * `rediss+…` for TLS to all of them. User and password are those of the servers that hold the keys.
 */

/** Where one server listens. */
export interface HostPort {
  /** A name or an address; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

interface Entry {
  readonly encrypted: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** What an address names. */
export type Deployment =
  | { readonly kind: 'single' }
  | (Entry & { readonly kind: 'cluster'; readonly hosts: readonly [HostPort, ...HostPort[]] })
  | (Entry & {
      readonly kind: 'sentinel';
      readonly hosts: readonly [HostPort, ...HostPort[]];
      /** Of the primary, as its sentinels know it. */
      readonly name: string;
      readonly db: number;
    });

type Kind = 'cluster' | 'sentinel';

const USUAL_PORT: Readonly<Record<Kind, number>> = { cluster: 6379, sentinel: 26_379 };
const MOST_PORT = 65_535;

/** Kind, user, password, hosts, what follows. An unescaped password may hold an `@`. */
const MANY = /^redis(s?)\+(cluster|sentinel):\/\/(?:([^:/?#]*)(?::([^/?#]*))?@)?([^@/?#]*)(.*)$/i;
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s,]+))(?::(\d{1,5}))?$/i;
const SENTINEL_TAIL = /^\/([^/?#]+)(?:\?db=(\d{1,9}))?$/;

/** Whether an address is of a form that may name several servers, rightly written or not. */
export function namesSeveral(url: string): boolean {
  return /^(?:redis|valkey)s?\+(?:cluster|sentinel):/i.test(url);
}

function hostsIn(text: string, kind: Kind): readonly [HostPort, ...HostPort[]] | null {
  const hosts: HostPort[] = [];
  for (const part of text.split(',')) {
    const [all, ipv6, name, port = String(USUAL_PORT[kind])] = HOST.exec(part) ?? [];
    const host = (ipv6 ?? name)?.toLowerCase();
    if (all === undefined || host === undefined || Number(port) > MOST_PORT || Number(port) === 0) return null;
    hosts.push({ host, port: Number(port) });
  }
  return hosts as [HostPort, ...HostPort[]];
}

/**
 * What an address names; `single` also for one that is none. `null` where it is of a form for several servers, but not rightly
 * written. Throws where a "%" escapes nothing.
 */
export function deploymentOf(url: string): Deployment | null {
  if (!namesSeveral(url)) return { kind: 'single' };
  const [all, secure, word = '', username, password, list = '', tail = ''] = MANY.exec(url) ?? [];
  if (all === undefined) return null;
  const kind = word.toLowerCase() as Kind;
  const hosts = hostsIn(list, kind);
  if (hosts === null) return null;
  const entry = {
    hosts,
    encrypted: secure !== '',
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  };
  // A cluster has one database.
  if (kind === 'cluster') return /^\/?0?$/.test(tail) ? { kind, ...entry } : null;
  const [, name, db = '0'] = SENTINEL_TAIL.exec(tail) ?? [];
  return name === undefined ? null : { kind, ...entry, name: decodeURIComponent(name), db: Number(db) };
}
