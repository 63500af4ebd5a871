/** fingerprint: which Redis, and which of its keys, a target stands for. Two deployments may give the same name to different
 * ones; and the same one may be written in many ways. Holds no secret: user and password are left out. */
import { createHash } from 'node:crypto';
import { deploymentOf } from './values/deployment.ts';
import { unixSocketIn } from './values/redisUrl.ts';

/** Scheme, user and password, host, path. A password may hold an `@`; a `/` it can't. */
const ADDRESS = /^[a-z+]+:\/\/(?:[^/?#]*@)?([^/?#]*)\/?([^?#]*)/i;
const USUAL_PORT = 6379;
const PLACE_DIGITS = 12;
const SCHEMA_DIGITS = 8;

/** Hosts with their ports, in any order, and the database; the same for every way to write them, and without secrets. */
function placeOf(url: string): readonly unknown[] {
  const socket = unixSocketIn(url);
  if (socket !== null) return [socket.path, socket.db];
  const several = deploymentOf(url);
  if (several !== null && several.kind !== 'single') {
    const hosts = several.hosts.map(({ host, port }) => `${host}:${port}`).sort();
    return several.kind === 'cluster' ? [hosts, 0] : [hosts, several.name, several.db];
  }
  const [, host = '', path = ''] = ADDRESS.exec(url) ?? [];
  const place = host.toLowerCase();
  return [[/:\d+$/.test(place) ? place : `${place}:${USUAL_PORT}`], Number(path)];
}

/** As much of a target as says where it is. */
export interface Placed {
  readonly url: string;
  /** Stands for the address where that differs between machines. */
  readonly id?: string | undefined;
}

/** Whether both addresses lead to the same server, whatever the database, as far as they tell. */
export function areOneServer(a: Placed, b: Placed): boolean {
  const [one, other] = [a, b].map(({ url }) => JSON.stringify(placeOf(url).slice(0, -1)));
  return one === other;
}

/** As much of a target as its fingerprint is made of. */
export interface Fingerprinted extends Placed {
  readonly schema: {
    readonly families: readonly string[];
    readonly heartbeat: { readonly text: string };
    readonly templates: readonly { readonly family: number; readonly template: { readonly text: string } }[];
  };
}

function digest(what: unknown, digits: number): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, digits);
}

/** What tells it apart from others: its `id`, or else its address. */
export function identityOf({ url, id }: Placed): readonly unknown[] {
  return id === undefined ? placeOf(url) : ['id', id];
}

/** The first half of a fingerprint: the same for the same address (or `id`) and database. */
export function placeDigestOf(target: Placed): string {
  return digest(identityOf(target), PLACE_DIGITS);
}

/** `<place>-<schema>`: the same for the same address (or `id`), database and schema, whatever the target is called. */
export function fingerprintOf({ schema, ...place }: Fingerprinted): string {
  const templates = schema.templates.map(({ family, template }) => [schema.families[family], template.text]).sort();
  return `${placeDigestOf(place)}-${digest([schema.heartbeat.text, ...templates], SCHEMA_DIGITS)}`;
}

/** Whether two fingerprints stand for the same address and database, whatever their schemas. */
export function samePlace(a: string, b: string): boolean {
  return placeIn(a) === placeIn(b);
}

/** The first half of a fingerprint; empty where that is. */
export function placeIn(fingerprint: string): string {
  return fingerprint.slice(0, PLACE_DIGITS);
}

/** As much of a record as says of which target it is. */
export interface Recorded {
  readonly target: string;
  readonly fingerprint?: string | undefined;
}

/**
 * Which records may be of what these targets, by name, stand for here: what others mean by the same names is left out. Of a name that
 * is none of them everything is.
 */
export function oursAmong(targets: ReadonlyMap<string, Placed>): (record: Recorded) => boolean {
  const places = new Map([...targets].map(([name, target]) => [name, placeDigestOf(target)]));
  return ({ target, fingerprint = '' }) => {
    const place = places.get(target);
    return place === undefined || mayBeAt(place, fingerprint);
  };
}

/** Whether a record with this fingerprint may be of this place: one without any, as older versions left them, may be of each. */
export function mayBeOf(target: Placed, fingerprint = ''): boolean {
  return mayBeAt(placeDigestOf(target), fingerprint);
}

function mayBeAt(place: string, fingerprint: string): boolean {
  return fingerprint === '' || placeIn(fingerprint) === place;
}
