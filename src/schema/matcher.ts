/** matcher: reads a key's name as a template, in every way it can be read, from its bytes and without making strings.
 *
 * A template is a row of tokens; a placeholder ends where the literal behind it begins, so the ways to read a name are found
 * by going through the places where that literal stands. Templates that are known apart from each other are so by
 * `overlap`, which walks the same tokens.
 */
import type { IdShape } from './ids.ts';
import type { Template } from './template.ts';

const COLON = 58;

/** A name that could be read in more steps than this is nobody's: it is kept (P2). Ordinary names take fewer than 100. */
const MOST_STEPS = 200_000;

/** So many bytes less one, a power of two, take about as long to go through as a step. */
const BYTES_LIKE_A_STEP = 63;

/** Where the parts of a name stand, in bytes; -1 where the template names none. Holds until the next reading. */
export interface Binding {
  readonly idFrom: number;
  readonly idTo: number;
  /** How many segments the id has; negative when one of them is empty: then it is no id, but somebody may beat under it. */
  readonly idSegments: number;
  readonly swarmFrom: number;
  readonly swarmTo: number;
}

interface MatcherToken {
  /** `swarms`: whatever stands in a swarm's place, of no segment or of several, too. */
  readonly kind: 'literal' | 'swarm' | 'swarms' | 'coordinator' | 'star';
  readonly bytes: Uint8Array;
}

/** A template whose literals are bytes. */
export interface Pattern {
  readonly tokens: readonly MatcherToken[];
  /** What every name begins with. */
  readonly prefix: Uint8Array;
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function patternOf({ tokens, prefix }: Template): Pattern {
  return {
    prefix: toBytes(prefix),
    tokens: tokens.map((token) => ({ kind: token.kind, bytes: toBytes(token.kind === 'literal' ? token.text : '') })),
  };
}

/** The same, with anything in the place of the swarm. */
export function withAnySwarm({ tokens, prefix }: Pattern): Pattern {
  return { prefix, tokens: tokens.map((token) => (token.kind === 'swarm' ? { ...token, kind: 'swarms' } : token)) };
}

function standsAt(key: Uint8Array, at: number, literal: Uint8Array): boolean {
  if (key.length - at < literal.length) return false;
  // Backwards: the keys of a schema differ late.
  for (let i = literal.length - 1; i >= 0; i--) if (key[at + i] !== literal[i]) return false;
  return true;
}

const NO_TOKENS: readonly MatcherToken[] = [];
const NO_KEY = new Uint8Array(0);

/** Who could be meant. */
export interface Ids {
  /** `false`: these bytes are no id of theirs. */
  mayHave(bytes: Uint8Array, from: number, to: number): boolean;
}

export class Matcher implements Binding {
  idFrom = -1;
  idTo = -1;
  idSegments = 0;
  swarmFrom = -1;
  swarmTo = -1;
  readonly #never: readonly Uint8Array[];
  #tokens = NO_TOKENS;
  #key: Uint8Array = NO_KEY;
  #mostSegments = 1;
  #steps = 0;
  #visit: (binding: Binding) => boolean = () => true;
  #ids: Ids | null = null;

  constructor({ never }: IdShape) {
    this.#never = never.map(toBytes);
  }

  /**
   * Calls `visit` for each way in which `key` reads as the pattern with an id of at most so many segments, until it returns
   * `true`. Returns whether it did; throws `RangeError` when there are too many ways to go through.
   * @param ids left out or `null`: whatever id; else the ways with another one are not gone to their end
   */
  read(
    pattern: Pattern,
    key: Uint8Array,
    mostSegments: number,
    visit: (binding: Binding) => boolean,
    ids: Ids | null = null,
  ): boolean {
    if (!standsAt(key, 0, pattern.prefix)) return false;
    this.#tokens = pattern.tokens;
    this.#key = key;
    this.#mostSegments = mostSegments;
    this.#visit = visit;
    this.#ids = ids;
    this.#steps = 0;
    this.swarmFrom = -1;
    this.swarmTo = -1;
    return this.#walk(0, 0);
  }

  #walk(index: number, at: number): boolean {
    const token = this.#tokens[index];
    if (token === undefined) return at === this.#key.length && this.#visit(this);
    if (token.kind === 'literal') {
      return standsAt(this.#key, at, token.bytes) && this.#walk(index + 1, at + token.bytes.length);
    }
    this.#step();
    if (token.kind === 'star') return this.#walkStar(index, at);
    if (token.kind === 'swarms') return this.#walkSwarms(index, at);
    return token.kind === 'swarm' ? this.#walkSwarm(index, at) : this.#walkId(index, at);
  }

  #step(): void {
    if (++this.#steps > MOST_STEPS) throw new RangeError('a name that reads in too many ways');
  }

  /** The first byte of the literal that ends a placeholder; -1 where the name's end does. */
  #endOf(index: number): number {
    return this.#tokens[index + 1]?.bytes[0] ?? -1;
  }

  #walkStar(index: number, at: number): boolean {
    const key = this.#key;
    const end = this.#endOf(index);
    if (end === -1) return this.#walk(index + 1, key.length);
    this.#steps += (key.length - at) >>> 6;
    for (let to = key.indexOf(end, at); to !== -1; to = key.indexOf(end, to + 1)) {
      if (this.#walk(index + 1, to)) return true;
    }
    return false;
  }

  #walkSwarms(index: number, at: number): boolean {
    const key = this.#key;
    const end = this.#endOf(index);
    this.swarmFrom = at;
    for (let to = at; to <= key.length; to++) {
      if ((to === key.length ? -1 : key[to]) !== end) continue;
      this.#step();
      this.swarmTo = to;
      if (this.#walk(index + 1, to)) return true;
    }
    return false;
  }

  #walkSwarm(index: number, at: number): boolean {
    const key = this.#key;
    const end = this.#endOf(index);
    for (let to = at; ; to++) {
      const byte = to === key.length ? -1 : (key[to] as number);
      if (to > at && byte === end) {
        this.swarmFrom = at;
        this.swarmTo = to;
        if (this.#walk(index + 1, to)) return true;
      }
      if (byte === COLON || byte === -1) return false;
    }
  }

  #walkId(index: number, at: number): boolean {
    const key = this.#key;
    const end = this.#endOf(index);
    let segments = 1;
    let segmentFrom = at;
    let isBroken = false;
    for (let to = at; ; to++) {
      const byte = to === key.length ? -1 : (key[to] as number);
      if (byte === end && to > at && this.#isMeant(at, to) && !(segments === 1 && this.#isNever(at, to))) {
        this.idFrom = at;
        this.idTo = to;
        this.idSegments = isBroken || to === segmentFrom ? -segments : segments;
        if (this.#walk(index + 1, to)) return true;
      }
      if (byte === -1) return false;
      // A long name may be gone through from each of its places on.
      if (((to - at) & BYTES_LIKE_A_STEP) === BYTES_LIKE_A_STEP) this.#step();
      if (byte !== COLON) continue;
      if (segments === 1 && this.#isNever(at, to)) return false;
      if (to === segmentFrom) isBroken = true;
      if (++segments > this.#mostSegments) return false;
      segmentFrom = to + 1;
    }
  }

  #isMeant(from: number, to: number): boolean {
    return this.#ids === null || this.#ids.mayHave(this.#key, from, to);
  }

  /** Whether an id's first segment is a word that no id begins with. */
  #isNever(from: number, to: number): boolean {
    for (let i = 0; i < this.#never.length; i++) {
      const word = this.#never[i] as Uint8Array;
      if (word.length === to - from && standsAt(this.#key, from, word)) return true;
    }
    return false;
  }
}
