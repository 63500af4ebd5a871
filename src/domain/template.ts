/** template: one shape of key names, such as `blocking:ack:{coordinator}:*`.
 *
 * Key names are byte strings: each character stands for one byte (latin1), so that no name is ever altered by decoding.
 * `{swarm}` and `{coordinator}` stand for one `:`-separated segment or a part of one; `*` for any run of bytes.
 */
import { Failure } from './failure.ts';

export interface Owner {
  readonly coordinator: string;
  /** `null` where the template names no swarm. */
  readonly swarm: string | null;
}

type Token =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'swarm' | 'coordinator' }
  | { readonly kind: 'star' };

export interface Template {
  /** As the user wrote it. */
  readonly text: string;
  readonly tokens: readonly Token[];
  /** The bytes every key of this template starts with. */
  readonly prefix: string;
  /** Whether it holds a `*`: then its keys can't be derived from an id, only found by SCAN. */
  readonly wildcard: boolean;
  readonly hasSwarm: boolean;
}

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const tokenOf = (part: string): Token => {
  if (part === '*') return { kind: 'star' };
  if (part === '{swarm}') return { kind: 'swarm' };
  if (part === '{coordinator}') return { kind: 'coordinator' };
  return { kind: 'literal', text: bytesOf(part) };
};

/** As much of a wrong template as a sentence can hold. */
const MOST_SHOWN = 200;

const complain = (text: string, what: string): Failure => {
  const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  return new Failure('CONFIG', `key template "${shown}" ${what}`);
};

const isFree = (token: Token | undefined): boolean => token !== undefined && token.kind !== 'literal';

/**
 * Reads a template. Fails (`CONFIG`) unless it names `{coordinator}` exactly once, `{swarm}` at most once, no other
 * placeholder, and keeps placeholders and `*` apart, since `{swarm}{coordinator}` could be split in many ways.
 */
export const parseTemplate = (text: string): Template => {
  const parts = text.split(/(\*+|\{swarm\}|\{coordinator\})/).filter((part) => part !== '');
  const tokens = parts.map((part) => tokenOf(part.startsWith('*') ? '*' : part));
  const count = (kind: Token['kind']) => tokens.filter((token) => token.kind === kind).length;
  const unknown = /\{\w+\}/.exec(parts.filter((part) => tokenOf(part).kind === 'literal').join('\0'));
  if (unknown) throw complain(text, `holds ${unknown[0]}; only {swarm} and {coordinator} can stand there`);
  if (count('coordinator') !== 1) throw complain(text, 'must name {coordinator} exactly once');
  if (count('swarm') > 1) throw complain(text, 'names {swarm} more than once');
  if (count('star') > 3) throw complain(text, 'holds more than three *');
  tokens.forEach((token, i) => {
    const next = tokens[i + 1];
    const joined = next?.kind === 'literal' && !next.text.includes(':') && isFree(tokens[i + 2]);
    if (isFree(token) && (isFree(next) || joined)) {
      throw complain(text, 'must keep {swarm}, {coordinator} and * in segments of their own, with a ":" between them');
    }
  });
  const first = tokens[0];
  return {
    text,
    tokens,
    prefix: first?.kind === 'literal' ? first.text : '',
    wildcard: count('star') > 0,
    hasSwarm: count('swarm') > 0,
  };
};

/** Calls `visit` for every way in which `key` can be read as `template`; the same owner may come more than once. */
export const eachOwner = (template: Template, key: string, visit: (owner: Owner) => void): void => {
  if (!key.startsWith(template.prefix)) return;
  const { tokens } = template;
  let coordinator = '';
  let swarm: string | null = null;

  const bind = (kind: 'swarm' | 'coordinator', from: number, to: number, next: number): void => {
    if (kind === 'coordinator') coordinator = key.slice(from, to);
    else swarm = key.slice(from, to);
    walk(next, to);
  };
  const walk = (index: number, at: number): void => {
    const token = tokens[index];
    if (token === undefined) {
      if (at === key.length) visit({ coordinator, swarm });
      return;
    }
    const next = tokens[index + 1];
    switch (token.kind) {
      case 'literal':
        if (key.startsWith(token.text, at)) walk(index + 1, at + token.text.length);
        return;
      case 'star':
        if (next === undefined) walk(index + 1, key.length);
        else if (next.kind === 'literal') {
          for (let to = key.indexOf(next.text, at); to !== -1; to = key.indexOf(next.text, to + 1)) walk(index + 1, to);
        }
        return;
      default: {
        const colon = key.indexOf(':', at);
        const end = colon === -1 ? key.length : colon;
        if (next === undefined || (next.kind === 'literal' && next.text.startsWith(':'))) {
          if (end > at) bind(token.kind, at, end, index + 1);
        } else for (let to = at + 1; to <= end; to++) bind(token.kind, at, to, index + 1);
      }
    }
  };
  walk(0, 0);
};

/** The name of an owner's key. Only for templates without `*`. */
export const derive = (template: Template, owner: Owner): string => {
  let key = '';
  for (const token of template.tokens) {
    if (token.kind === 'literal') key += token.text;
    else if (token.kind === 'coordinator') key += owner.coordinator;
    else if (token.kind === 'swarm') key += owner.swarm ?? '';
    else throw new TypeError(`"${template.text}" can't be derived`);
  }
  return key;
};

const escapeGlob = (text: string): string => text.replace(/[\\*?[\]^-]/g, '\\$&');

/** The SCAN pattern that finds every key of the template (and may find more: `*` also spans `:`). */
const globOf = (template: Template): string =>
  template.tokens.map((token) => (token.kind === 'literal' ? escapeGlob(token.text) : '*')).join('');

/** Two places tell most foreign keys apart; each costs Redis about as much as eight fixed characters, for every key. */
const MOST_PLACES_THAT_VARY = 2;

/**
 * One SCAN pattern that finds every key of all the templates, so that one pass over the keyspace serves them all: for
 * each place of the shortest prefix, up to the second where they differ, the characters that stand there, then anything.
 * It finds more than it must; whoever reads its keys matches them again.
 */
export const sharedGlob = (templates: readonly Template[]): string => {
  const [only, ...others] = templates;
  if (only && others.length === 0) return globOf(only);
  const shortest = Math.min(...templates.map((template) => template.prefix.length));
  let glob = '';
  let varying = 0;
  for (let at = 0; at < shortest && varying < MOST_PLACES_THAT_VARY; at++) {
    const characters = [...new Set(templates.map((template) => template.prefix.charAt(at)))].map(escapeGlob);
    if (characters.length > 1) varying++;
    glob += characters.length === 1 ? characters[0] : `[${characters.join('')}]`;
  }
  return `${glob}*`;
};

interface Segment {
  readonly head: string;
  readonly tail: string;
  /** Exactly this text, without placeholder or `*`. */
  readonly fixed: boolean;
  readonly star: boolean;
}

const segmentsOf = (template: Template): Segment[] => {
  const marks = template.tokens.map((token) =>
    token.kind === 'literal' ? token.text : token.kind === 'star' ? '\u{10000}' : '\u{10001}',
  );
  return marks
    .join('')
    .split(':')
    .map((segment) => {
      const pieces = segment.split(/[\u{10000}\u{10001}]/u);
      return {
        head: pieces[0] ?? '',
        tail: pieces.at(-1) ?? '',
        fixed: pieces.length === 1,
        star: segment.includes('\u{10000}'),
      };
    });
};

const segmentsMeet = (a: Segment, b: Segment): boolean => {
  if (a.fixed && b.fixed) return a.head === b.head;
  const agree = (x: string, y: string) => x.startsWith(y) || y.startsWith(x);
  const agreeAtEnd = (x: string, y: string) => x.endsWith(y) || y.endsWith(x);
  return agree(a.head, b.head) && agreeAtEnd(a.tail, b.tail);
};

/**
 * Whether some key could be read as either template. May say yes where no such key exists, never no where one does.
 */
export const mayOverlap = (left: Template, right: Template): boolean => {
  const a = segmentsOf(left);
  const b = segmentsOf(right);
  const meet = (i: number, j: number): boolean => {
    const x = a[i];
    const y = b[j];
    if (x === undefined || y === undefined) return x === y;
    if (segmentsMeet(x, y) && meet(i + 1, j + 1)) return true;
    // A segment with * may run on over the other's next segments, whatever they hold.
    return (
      (x.star && b.some((_, to) => to > j && meet(i + 1, to + 1))) ||
      (y.star && a.some((_, to) => to > i && meet(to + 1, j + 1)))
    );
  };
  return meet(0, 0);
};

/** Whether both templates read the same owner from any key they share: the same tokens up to the last placeholder. */
export const sameBinding = (left: Template, right: Template): boolean => {
  const lead = ({ tokens }: Template): string | null => {
    const last = tokens.findLastIndex((token) => token.kind === 'coordinator' || token.kind === 'swarm');
    const next = tokens[last + 1];
    const whole = next === undefined || (next.kind === 'literal' && next.text.startsWith(':'));
    const fixed = tokens.slice(0, last + 1);
    return whole && fixed.every((token) => token.kind !== 'star') ? JSON.stringify(fixed) : null;
  };
  return lead(left) !== null && lead(left) === lead(right);
};
