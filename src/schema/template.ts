/** template: one shape of key names, such as `blocking:ack:{coordinator}:*`.
 *
 * Key names are byte strings: each character stands for one byte (latin1), so that no name is ever altered by decoding.
 * `{swarm}` stands for one `:`-separated segment or a part of one, `{coordinator}` for as many as the schema's ids have, `*`
 * for any run of bytes. `{{` and `}}` are braces as they stand: `{{{coordinator}}}` is a hash tag that holds the id, and so is
 * `{{coordinator}}`, since nothing else could be meant by it.
 */
import { Failure } from '../domain/failure.ts';

export interface Owner {
  readonly coordinator: string;
  /** `null` where the template names no swarm. */
  readonly swarm: string | null;
}

export type Token =
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

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function tokenOf(part: string): Token {
  if (part === '*') return { kind: 'star' };
  if (part === '{swarm}') return { kind: 'swarm' };
  if (part === '{coordinator}') return { kind: 'coordinator' };
  return { kind: 'literal', text: bytesOf(part === '{{' || part === '}}' ? part.charAt(0) : part) };
}

/** What a template is made of, in its order; `{{` ends before a placeholder that has braces of its own. */
const PARTS = /(\*+|\{\{(?!(?:swarm|coordinator)\})|\}\}|\{swarm\}|\{coordinator\})/;

/** The same with neighbouring literals in one. */
function joined(tokens: readonly Token[]): Token[] {
  const whole: Token[] = [];
  for (const token of tokens) {
    const last = whole.at(-1);
    if (last?.kind !== 'literal' || token.kind !== 'literal') whole.push(token);
    else whole[whole.length - 1] = { kind: 'literal', text: last.text + token.text };
  }
  return whole;
}

/** As much of a wrong template as a sentence can hold. */
const MOST_SHOWN = 200;

function complain(text: string, what: string): Failure {
  const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  return new Failure('CONFIG', `key template "${shown}" ${what}`);
}

function isFree(token: Token | undefined): boolean {
  return token !== undefined && token.kind !== 'literal';
}

/**
 * Reads a template. Fails (`CONFIG`) unless it names `{coordinator}` exactly once, `{swarm}` at most once, no other
 * placeholder, and keeps placeholders and `*` apart, since `{swarm}{coordinator}` could be split in many ways.
 */
export function parseTemplate(text: string): Template {
  const parts = text.split(PARTS).filter((part) => part !== '');
  const tokens = joined(parts.map((part) => tokenOf(part.startsWith('*') ? '*' : part)));
  const count = (kind: Token['kind']) => tokens.filter((token) => token.kind === kind).length;
  const unknown = /\{\s*\w+\s*\}/.exec(parts.filter((part) => tokenOf(part).kind === 'literal').join('\0'));
  if (unknown) throw complain(text, `holds ${unknown[0]}; only {swarm} and {coordinator} can stand there`);
  if (count('coordinator') !== 1) throw complain(text, 'must name {coordinator} exactly once');
  if (count('swarm') > 1) throw complain(text, 'names {swarm} more than once');
  if (count('star') > 3) throw complain(text, 'holds more than three *');
  tokens.forEach((token, i) => {
    const next = tokens[i + 1];
    const beside = next?.kind === 'literal' && !next.text.includes(':') && isFree(tokens[i + 2]);
    if (isFree(token) && (isFree(next) || beside)) {
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
}

/** The name of an owner's key. Only for templates without `*`. */
export function derive(template: Template, owner: Owner): string {
  let key = '';
  for (const token of template.tokens) {
    if (token.kind === 'literal') key += token.text;
    else if (token.kind === 'coordinator') key += owner.coordinator;
    else if (token.kind === 'swarm') key += owner.swarm ?? '';
    else throw new TypeError(`"${template.text}" can't be derived`);
  }
  return key;
}
