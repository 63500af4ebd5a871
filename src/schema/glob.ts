/** glob: the patterns by which Redis finds the keys of a schema: for SCAN, and for an ACL. */
import type { KeySchema } from './keySchema.ts';
import type { Template } from './template.ts';

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, '\\$&');
}

/** The pattern that finds every key of the template (and may find more: `*` also spans `:`). */
export function globOf(template: Template): string {
  return template.tokens.map((token) => (token.kind === 'literal' ? escapeGlob(token.text) : '*')).join('');
}

/** The pattern that finds every key of the template with one of these ids, byte strings (and may find more). */
export function globOfIds({ tokens }: Template, ids: readonly string[]): string {
  const [only, ...others] = ids;
  const beginnings = [...new Set(ids.map((id) => id.charAt(0)))].map(escapeGlob).join('');
  const id = others.length === 0 ? escapeGlob(only ?? '') : `[${beginnings}]*`;
  return tokens
    .map((token) => (token.kind === 'literal' ? escapeGlob(token.text) : token.kind === 'coordinator' ? id : '*'))
    .join('');
}

/** Two places tell most foreign keys apart; each costs Redis about as much as eight fixed characters, for every key. */
const MOST_PLACES_THAT_VARY = 2;

/**
 * One SCAN pattern that finds every key of all the templates, so that one pass over the keyspace serves them all: for
 * each place of the shortest prefix, up to the second where they differ, the characters that stand there, then anything.
 * It finds more than it must; whoever reads its keys matches them again.
 */
export function sharedGlob(templates: readonly Template[]): string {
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
}

/** Every pattern that a run of the schema may walk the keyspace by. */
export function walkedGlobs({ heartbeat, scanned }: Pick<KeySchema, 'heartbeat' | 'scanned'>): readonly string[] {
  const others = scanned.map(({ template }) => template);
  const walks = [[heartbeat, ...others], [heartbeat], others].filter((templates) => templates.length > 0);
  return [...new Set(walks.map(sharedGlob))];
}

function covers(glob: string, other: string): boolean {
  const literal = (text: string) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');
  return new RegExp(`^${glob.split('*').map(literal).join('.*')}$`, 's').test(other);
}

/** The patterns of all keys of these templates, without those that another one covers. */
export function patternsOf(templates: readonly Template[]): readonly string[] {
  const globs = [...new Set(templates.map(globOf))];
  return globs.filter((glob) => !globs.some((other) => other !== glob && covers(other, glob)));
}
