/** overlap: whether some name could be read as either of two templates, exactly.
 *
 * Each template is a small automaton over bytes, which may go on in several ways; both are walked side by side, every pair of
 * places once, until a name ends in both or all pairs are seen (the product construction: Hopcroft, Motwani, Ullman, Introduction to Automata Theory, 4.2.1).
 */
import type { IdShape } from './ids.ts';
import type { Template, Token } from './template.ts';

/** A place in a template: the token, and how much of it was read. */
interface Place {
  readonly token: number;
  /** Of a literal: how many bytes. Of a swarm: 0 or 1. Of an id: its segment, from 0; for ids of any number at most 1. */
  readonly at: number;
  /** Of an id: what its segment holds so far, as long as that can become a word no id begins with; `null`: anything else. */
  readonly word: string | null;
}

const COLON = ':';

class Automaton {
  readonly #tokens: readonly Token[];

  constructor(
    template: Template,
    private readonly ids: IdShape,
  ) {
    this.#tokens = template.tokens;
  }

  /** The one byte that leads on from this place; `null` where others may. */
  only({ token, at }: Place): string | null {
    const next = this.#tokens[token];
    return next?.kind === 'literal' ? (next.text[at] ?? null) : null;
  }

  /** The places a name can begin at. */
  start(): Place[] {
    return this.#settle(this.#begin(0));
  }

  accepts({ token }: Place): boolean {
    return token === this.#tokens.length;
  }

  /** Where one more byte leads from this place. */
  next(place: Place, byte: string): Place[] {
    const token = this.#tokens[place.token];
    if (token === undefined) return [];
    const { at } = place;
    switch (token.kind) {
      case 'literal':
        if (token.text[at] !== byte) return [];
        return this.#settle(at + 1 === token.text.length ? this.#begin(place.token + 1) : { ...place, at: at + 1 });
      case 'star':
        return this.#settle(place);
      case 'swarm':
        return byte === COLON ? [] : this.#settle({ ...place, at: 1 });
      default:
        return this.#nextInId(place, byte);
    }
  }

  #nextInId(place: Place, byte: string): Place[] {
    const { at, word } = place;
    const { segments, never } = this.ids;
    if (byte === COLON) {
      const ended = word !== '' && (at > 0 || word === null || !never.includes(word));
      const segment = segments === null ? 1 : at + 1;
      return ended && (segments === null || segment < segments) ? [{ ...place, at: segment, word: '' }] : [];
    }
    if (at > 0 || word === null) return this.#settle({ ...place, word: null });
    const longer = word + byte;
    return this.#settle({ ...place, word: never.some((one) => one.startsWith(longer)) ? longer : null });
  }

  #begin(token: number): Place {
    return { token, at: 0, word: this.#tokens[token]?.kind === 'coordinator' ? '' : null };
  }

  /** A place, and those behind it that need no further byte. */
  #settle(place: Place): Place[] {
    const token = this.#tokens[place.token];
    if (token === undefined || !this.#mayEnd(token, place)) return [place];
    return [place, ...this.#settle(this.#begin(place.token + 1))];
  }

  #mayEnd(token: Token, { at, word }: Place): boolean {
    if (token.kind === 'star') return true;
    if (token.kind === 'swarm') return at === 1;
    if (token.kind === 'literal') return token.text === '';
    const { segments, never } = this.ids;
    const complete = segments === null || at === segments - 1;
    return complete && word !== '' && (at > 0 || word === null || !never.includes(word));
  }
}

/** Bytes that differ where no literal says which one comes: what ends a segment, those of words, and one that stands for all others. */
function alphabetOf({ never }: IdShape): readonly string[] {
  const bytes = new Set([COLON, ...never.join('')]);
  for (let code = 0; code < 256; code++) {
    const other = String.fromCharCode(code);
    if (!bytes.has(other)) return [...bytes, other];
  }
  return [...bytes];
}

/** Both places, as a text of their own. */
function nameOf(x: Place, y: Place): string {
  const words = x.word === null && y.word === null ? '' : JSON.stringify([x.word, y.word]);
  return `${x.token} ${x.at} ${y.token} ${y.at} ${words}`;
}

function endOf({ tokens }: Template): string {
  const last = tokens.at(-1);
  return last?.kind === 'literal' ? last.text : '';
}

/** Whether no key could be read as both, as their first and last bytes tell: nearly all pairs of a schema are told apart so. */
export function areApart(left: Template, right: Template): boolean {
  if (!left.prefix.startsWith(right.prefix) && !right.prefix.startsWith(left.prefix)) return true;
  const [a, b] = [endOf(left), endOf(right)];
  return !a.endsWith(b) && !b.endsWith(a);
}

/** Whether some key could be read as either template, ids having this shape. */
export function overlap(left: Template, right: Template, ids: IdShape): boolean {
  if (areApart(left, right)) return false;
  const a = new Automaton(left, ids);
  const b = new Automaton(right, ids);
  const alphabet = alphabetOf(ids);
  const seen = new Set<string>();
  const waiting: [Place, Place][] = [];
  const visit = (xs: readonly Place[], ys: readonly Place[]): void => {
    for (const x of xs) {
      for (const y of ys) {
        const pair = nameOf(x, y);
        if (seen.has(pair)) continue;
        seen.add(pair);
        waiting.push([x, y]);
      }
    }
  };
  visit(a.start(), b.start());
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    const [x, y] = pair;
    if (a.accepts(x) && b.accepts(y)) return true;
    const only = a.only(x) ?? b.only(y);
    for (const byte of only === null ? alphabet : [only]) {
      const next = a.next(x, byte);
      if (next.length > 0) visit(next, b.next(y, byte));
    }
  }
  return false;
}

/**
 * Whether both templates read the same owner from any key they share: the same tokens up to the last placeholder, behind
 * which a segment ends. An id of any number of segments ends where the rest of the template says, so there all must be same.
 */
export function sameBinding(left: Template, right: Template, { segments }: IdShape): boolean {
  const lead = ({ tokens }: Template): string | null => {
    if (segments === null) return JSON.stringify(tokens);
    const last = tokens.findLastIndex((token) => token.kind === 'coordinator' || token.kind === 'swarm');
    const next = tokens[last + 1];
    const whole = next === undefined || (next.kind === 'literal' && next.text.startsWith(COLON));
    const fixed = tokens.slice(0, last + 1);
    return whole && fixed.every((token) => token.kind !== 'star') ? JSON.stringify(fixed) : null;
  };
  return lead(left) !== null && lead(left) === lead(right);
}
