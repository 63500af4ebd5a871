/** reading: whose key it is, told from the bytes of its name. A scan returns every key of a keyspace's size, so the names
 * that can be read in only one way, which are nearly all, are read without making strings of them.
 */
import { identify, type KeySchema } from './keySchema.ts';
import { mayOverlap, type Owner, type Template } from './template.ts';

const COLON = 58;
const NOT_THERE = -1;

/** What a key turned out to be: filled anew for each key. Positions count bytes of its name. */
export interface Reading {
  /**
   * - `foreign`: not a key that a scan looks for.
   * - `heartbeat`: somebody's heartbeat.
   * - `owned`: a key that only one id could own, whatever the swarm.
   * - `shared`: a key that several could own, or that names a swarm; `owners` has them all.
   */
  kind: 'foreign' | 'heartbeat' | 'owned' | 'shared';
  family: number;
  /** The id of a heartbeat's or an owned key's coordinator. */
  idFrom: number;
  idTo: number;
  /** The swarm a heartbeat names; `swarmFrom` is -1 where the schema's heartbeats name none. */
  swarmFrom: number;
  swarmTo: number;
  /** Its name follows from its only owner. */
  derivable: boolean;
  owners: readonly Owner[];
}

interface Token {
  readonly kind: 'literal' | 'swarm' | 'coordinator' | 'star';
  readonly bytes: Uint8Array;
}

/** A template whose keys can be read from left to right, in one way. */
interface Plain {
  readonly family: number;
  readonly tokens: readonly Token[];
  readonly owned: boolean;
  readonly derivable: boolean;
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

const textOf = (bytes: Uint8Array): string => {
  let text = '';
  for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
};

/** Each placeholder is a whole segment from its first byte on, and a `*` can only be the rest. */
const isPlain = ({ tokens }: Template): boolean =>
  tokens[0]?.kind === 'literal' &&
  tokens.every((token, i) => {
    const next = tokens[i + 1];
    if (token.kind === 'literal') return true;
    if (token.kind === 'star') return next === undefined;
    return next === undefined || (next.kind === 'literal' && next.text.startsWith(':'));
  });

const tokensOf = (template: Template): Token[] =>
  template.tokens.map((token) => ({ kind: token.kind, bytes: bytesOf(token.kind === 'literal' ? token.text : '') }));

const startsWith = (key: Uint8Array, at: number, literal: Uint8Array): boolean => {
  if (key.length - at < literal.length) return false;
  // Backwards: the keys of a schema differ late.
  for (let i = literal.length - 1; i >= 0; i--) if (key[at + i] !== literal[i]) return false;
  return true;
};

const readPlain = (tokens: readonly Token[], key: Uint8Array, into: Reading): boolean => {
  let at = 0;
  for (let i = 0; i < tokens.length; i++) {
    const { kind, bytes } = tokens[i] as Token;
    if (kind === 'literal') {
      if (!startsWith(key, at, bytes)) return false;
      at += bytes.length;
    } else if (kind === 'star') at = key.length;
    else {
      const from = at;
      while (at < key.length && key[at] !== COLON) at++;
      if (at === from) return false;
      if (kind === 'coordinator') {
        into.idFrom = from;
        into.idTo = at;
      } else {
        into.swarmFrom = from;
        into.swarmTo = at;
      }
    }
  }
  return at === key.length;
};

export type Reader = (key: Uint8Array) => Reading;

/**
 * A reader of the keys that a scan of this schema looks for. It agrees with `identify` on every one of them; the reading it
 * returns holds until the next.
 */
export const readerOf = (schema: KeySchema): Reader => {
  const reading: Reading = {
    kind: 'foreign',
    family: NOT_THERE,
    idFrom: 0,
    idTo: 0,
    swarmFrom: NOT_THERE,
    swarmTo: NOT_THERE,
    derivable: false,
    owners: [],
  };
  const all = [{ family: schema.heartbeatFamily, template: schema.heartbeat }, ...schema.templates];
  const alone = (own: Template) => all.every(({ template }) => template === own || !mayOverlap(own, template));
  const heartbeat = isPlain(schema.heartbeat) ? tokensOf(schema.heartbeat) : null;
  const scanned = schema.templates.filter(({ family }) => schema.scannedFamilies.has(family));
  const plain: Plain[] = [];
  const prefixes = heartbeat === null ? [bytesOf(schema.heartbeat.prefix)] : [];
  for (const { family, template } of scanned) {
    if (isPlain(template) && alone(template)) {
      const owned = !template.hasSwarm;
      plain.push({ family, tokens: tokensOf(template), owned, derivable: !template.wildcard });
    } else prefixes.push(bytesOf(template.prefix));
  }

  const readSlowly = (key: Uint8Array): Reading => {
    const name = textOf(key);
    const identity = identify(schema, name);
    if (identity === null) return reading;
    if (!identity.heartbeat && !schema.scannedFamilies.has(identity.family)) return reading;
    const owners = identity.heartbeat ? [identity.owner] : identity.owners;
    const [owner] = owners;
    if (owner === undefined) return reading;
    if (identity.heartbeat) {
      reading.kind = 'heartbeat';
      if (owner.swarm !== null) {
        reading.swarmFrom = name.indexOf(owner.swarm);
        reading.swarmTo = reading.swarmFrom + owner.swarm.length;
      }
    } else {
      reading.kind = owners.length === 1 && owner.swarm === null ? 'owned' : 'shared';
      reading.family = identity.family;
      reading.derivable = identity.derivable;
      reading.owners = owners;
    }
    // Wherever these bytes stand, they are the id's.
    reading.idFrom = name.indexOf(owner.coordinator);
    reading.idTo = reading.idFrom + owner.coordinator.length;
    return reading;
  };

  return (key) => {
    reading.kind = 'foreign';
    if (heartbeat !== null && readPlain(heartbeat, key, reading)) {
      reading.kind = 'heartbeat';
      return reading;
    }
    for (let i = 0; i < plain.length; i++) {
      const { family, tokens, owned, derivable } = plain[i] as Plain;
      if (!readPlain(tokens, key, reading)) continue;
      reading.kind = owned ? 'owned' : 'shared';
      reading.family = family;
      reading.derivable = derivable;
      if (!owned) {
        const coordinator = textOf(key.subarray(reading.idFrom, reading.idTo));
        const swarm = textOf(key.subarray(reading.swarmFrom, reading.swarmTo));
        reading.owners = [{ coordinator, swarm }];
      }
      return reading;
    }
    for (let i = 0; i < prefixes.length; i++) {
      if (startsWith(key, 0, prefixes[i] as Uint8Array)) return readSlowly(key);
    }
    return reading;
  };
};
