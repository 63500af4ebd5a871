/** key reader: whose key it is, told from the bytes of its name. */
import { OWN_PREFIXES } from '../domain/ownKeys.ts';
import { fitsShape } from './ids.ts';
import type { KeySchema } from './keySchema.ts';
import { type Binding, type Ids, Matcher, type Pattern, patternOf, withAnySwarm } from './matcher.ts';
import type { Template } from './template.ts';

/**
 * - `foreign`: nothing a scan looks for.
 * - `heartbeat`: somebody's heartbeat; the reader holds where id and swarm stand.
 * - `remain`: what one or several coordinators left; `owners` tells whose it could be.
 */
export type KeyKind = 'foreign' | 'heartbeat' | 'remain';

const OWN = OWN_PREFIXES.map((text) => Buffer.from(text, 'latin1'));

/** However many segments. */
export const ANY_SEGMENTS = Number.MAX_SAFE_INTEGER;

/** Whether a key is one of stalesweep's own. */
export function isOwn(key: Uint8Array, prefixes: readonly Buffer[] = OWN): boolean {
  for (let i = 0; i < prefixes.length; i++) {
    const prefix = prefixes[i] as Buffer;
    let at = 0;
    while (at < prefix.length && key[at] === prefix[at]) at++;
    if (at === prefix.length) return true;
  }
  return false;
}

function isAny(): boolean {
  return true;
}

/** What a template says besides where its parts end. */
function wordsOf({ tokens }: Template): readonly string[] {
  return tokens.flatMap((token) =>
    token.kind === 'literal' ? token.text.split(':').filter((word) => word !== '') : [],
  );
}

/** Whether it says a word that no heartbeat has, but as a part of an id. */
function hasOwnWord(template: Template, heartbeat: Template): boolean {
  const known = wordsOf(heartbeat);
  return wordsOf(template).some((word) => !known.some((one) => one.includes(word)));
}

export class KeyReader {
  /** Of the heartbeat read last. An id of the wrong shape, or a swarm of no or several segments, makes it unreadable (P4). */
  idFrom = 0;
  idTo = 0;
  /** Negative also where the swarm is none. */
  idSegments = 0;
  /** -1 where heartbeats name no swarm. */
  swarmFrom = -1;
  swarmTo = -1;
  /** Of the remain read last: the first template it reads as, by its position among those that are read. */
  template = -1;
  /** Of the way visited last: its template, by its position among those of the schema. */
  visited = -1;
  readonly #own: readonly Buffer[];
  readonly #matcher: Matcher;
  readonly #heartbeat: Pattern;
  /** Those in no swarm or in one of several segments; `null` where heartbeats name none. */
  readonly #anySwarm: { readonly heartbeat: Pattern; readonly matcher: Matcher } | null;
  /** Of those whose keys could pass for heartbeats of longer ids or other swarms, but for a word that says what they are. */
  readonly #worded: readonly Pattern[];
  /** Of the templates whose keys are looked for, and of all whose keys there are. */
  readonly #remains: readonly Pattern[];
  readonly #all: readonly Pattern[];
  /** The latter, with anything in the place of a swarm. */
  readonly #inAny: readonly Pattern[];

  /** @param all whether keys that need no scan are to be read, too */
  constructor(
    readonly schema: KeySchema,
    all = false,
  ) {
    this.#own = [...OWN, ...schema.ownPrefixes.map((text) => Buffer.from(text, 'latin1'))];
    this.#matcher = new Matcher(schema.ids);
    this.#heartbeat = patternOf(schema.heartbeat);
    const { heartbeat, ids } = schema;
    this.#anySwarm = heartbeat.hasSwarm
      ? { heartbeat: withAnySwarm(this.#heartbeat), matcher: new Matcher({ ...ids, never: [] }) }
      : null;
    this.#worded = schema.templates
      .filter(({ template }) => hasOwnWord(template, heartbeat))
      .map(({ template }) => patternOf(template));
    this.#all = schema.templates.map(({ template }) => patternOf(template));
    this.#inAny = this.#all.map(withAnySwarm);
    this.#remains = all ? this.#all : schema.scanned.map(({ template }) => patternOf(template));
  }

  /** Whether a key is one of stalesweep's own: nobody's to sweep (P8). */
  isOwn(key: Uint8Array): boolean {
    return isOwn(key, this.#own);
  }

  /** Reads one name. */
  read(key: Uint8Array): KeyKind {
    if (this.isOwn(key)) return 'foreign';
    const matcher = this.#matcher;
    try {
      if (matcher.read(this.#heartbeat, key, ANY_SEGMENTS, this.#takeHeartbeat)) {
        if (fitsShape(this.schema.ids, this.idSegments) || !this.#readsAsOne(this.#worded, key)) return 'heartbeat';
      } else if (this.#isInNoSwarm(key)) return 'heartbeat';
      for (let i = 0; i < this.#remains.length; i++) {
        if (!matcher.read(this.#remains[i] as Pattern, key, ANY_SEGMENTS, this.#isShaped)) continue;
        this.template = i;
        return 'remain';
      }
    } catch (error) {
      // So many ways to read it that nobody could prove whose it is: it stays (P2).
      if (!(error instanceof RangeError)) throw error;
    }
    return 'foreign';
  }

  /** Reads one name as the heartbeat's template has it, whatever else it could be, one of stalesweep's own too; whether it can be. */
  readHeartbeat(key: Uint8Array): boolean {
    const any = this.#anySwarm?.heartbeat;
    if (this.#matcher.read(this.#heartbeat, key, ANY_SEGMENTS, this.#takeHeartbeat)) return true;
    return any !== undefined && this.#matcher.read(any, key, ANY_SEGMENTS, this.#takeHeartbeat);
  }

  /** Calls `visit` for every way in which a key can be a heartbeat, whatever stands in a swarm's place, until it returns `true`. */
  beating(key: Uint8Array, visit: (binding: Binding) => boolean): void {
    try {
      this.#matcher.read(this.#anySwarm?.heartbeat ?? this.#heartbeat, key, ANY_SEGMENTS, visit);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }

  #readsAsOne(patterns: readonly Pattern[], key: Uint8Array): boolean {
    for (let i = 0; i < patterns.length; i++) {
      if (this.#matcher.read(patterns[i] as Pattern, key, ANY_SEGMENTS, this.#isShaped)) return true;
    }
    return false;
  }

  /** Whether it is a heartbeat but for its swarm: somebody beats there of whom nobody can say in which swarm (P4). */
  #isInNoSwarm(key: Uint8Array): boolean {
    const any = this.#anySwarm;
    if (any === null || !this.#matcher.read(any.heartbeat, key, ANY_SEGMENTS, this.#takeHeartbeat)) return false;
    // One whose id would be a word that none is, in a swarm that is one, is no heartbeat.
    if (any.matcher.read(this.#heartbeat, key, ANY_SEGMENTS, isAny) || this.#readsAsOne(this.#worded, key))
      return false;
    this.idSegments = -Math.abs(this.idSegments);
    return true;
  }

  /**
   * Calls `visit` for every way in which a key can be somebody's, whose id has at most so many segments; the same owner may
   * come more than once, and ids come whose shape is not the schema's, since such a heartbeat would make them somebody's.
   * Returns whether all was seen: `false` once `visit` returned `true`, or when there are too many ways.
   * @param ids only those who could be among these; `null`: everybody
   * @param anySwarm whether those come, too, whose swarm would be none, of no segment or of several
   */
  owners(
    key: Uint8Array,
    mostSegments: number,
    visit: (binding: Binding) => boolean,
    ids: Ids | null = null,
    anySwarm = false,
  ): boolean {
    const patterns = anySwarm ? this.#inAny : this.#all;
    try {
      for (let i = 0; i < patterns.length; i++) {
        this.visited = i;
        if (this.#matcher.read(patterns[i] as Pattern, key, mostSegments, visit, ids)) return false;
      }
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  readonly #takeHeartbeat = ({ idFrom, idTo, idSegments, swarmFrom, swarmTo }: Binding): boolean => {
    this.idFrom = idFrom;
    this.idTo = idTo;
    this.idSegments = idSegments;
    this.swarmFrom = swarmFrom;
    this.swarmTo = swarmTo;
    return true;
  };

  readonly #isShaped = ({ idSegments }: Binding): boolean => fitsShape(this.schema.ids, idSegments);
}
