/** sightings key: where a target's sightings stand in the queue's Redis. */
import { createHash } from 'node:crypto';

/** As much of a target as tells whose heartbeats are meant. */
export interface SightedTarget {
  readonly name: string;
  readonly url: string;
  readonly schema: { readonly heartbeat: { readonly text: string } };
}

/** Scheme, user and password, hosts, path, query. A password may hold an `@`; a `/` it can't. */
const ADDRESS = /^[a-z+]+:\/\/(?:[^/?#]*@)?([^/?#]*)\/?([^?#]*)(?:\?([^#]*))?/i;
const USUAL_PORT = 6379;
const FINGERPRINT_DIGITS = 12;

/** Hosts with their ports, in any order, and the database; the same for every way to write them, and without secrets. */
function placeOf(url: string): readonly unknown[] {
  const [, hosts = '', path = '', query = ''] = ADDRESS.exec(url) ?? [];
  const withPort = (host: string) => (/:\d+$/.test(host) ? host : `${host}:${USUAL_PORT}`);
  const all = hosts.toLowerCase().split(',').map(withPort).sort();
  // A sentinel's address has the primary's name as its path, and the database behind it.
  const named = /^\d*$/.test(path) ? [] : [path];
  return [all, ...named, Number(named.length > 0 ? new URLSearchParams(query).get('db') : path)];
}

/**
 * `<prefix>:sightings:<target>:<fingerprint>`. Another host, port, database or heartbeat template has another fingerprint:
 * who was seen there is nobody here.
 */
export function sightingsKeyOf(prefix: string, { name, url, schema }: SightedTarget): string {
  const what = JSON.stringify([placeOf(url), schema.heartbeat.text]);
  const fingerprint = createHash('sha256').update(what).digest('hex').slice(0, FINGERPRINT_DIGITS);
  return `${prefix}:sightings:${name}:${fingerprint}`;
}
