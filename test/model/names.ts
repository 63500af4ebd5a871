/** names: key names that are nearly each other's: of ids that begin and end like each other, twisted in many ways.
 *
 * Names are byte strings: each character stands for one byte.
 */
import fc from 'fast-check';

/** A text's bytes, as UTF-8, each as a character. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const WORDS = ['blocking', 'heartbeat', 'idempotency', 'activity', 'agent', 'beat', 'a', 'mail', '{coordinator}', '$&'];

/** Ids of one family: each other's beginnings and ends, patterns that match each other, words of the schema, any bytes. */
const ids: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(['c1', 'c10', 'c', '1', 'c11', '0c1'], ['ab', 'a', 'b', 'aab', 'abb']) },
  { weight: 2, arbitrary: fc.constant(['c1', '*', 'c*', '?', 'c?', '[c]1', 'c\\1', '^-', '[a-z]', '\\']) },
  { weight: 1, arbitrary: fc.constant(['ü', 'u\u0308', '日', '日本', '\u{1f600}', '\u00a0', ' ', 'x y'].map(bytesOf)) },
  { weight: 1, arbitrary: fc.constant(['\0', '\xff', '\xff\xfe', '\n', '\r\n', 'a\0', '\xe6\x97', '"']) },
  { weight: 1, arbitrary: fc.constant(WORDS) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ['a', 'a:b', 'a:b:c', 'a:mail', 'b', 'b:c'],
      ['c1', 'c1:1', 'c1:c1', '1:c1', 'c1:c1:c1', 'heartbeat', 'heartbeat:c1', 'c1:heartbeat'],
      ['swarm-7:coordinator-7', 'swarm-7', 'coordinator-7', 'swarm-70:coordinator-7', 'swarm-7:blocking:coordinator-7'],
    ),
  },
  {
    weight: 2,
    arbitrary: fc.array(
      fc
        .string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)), maxLength: 4 })
        .map((id) => id.replaceAll(':', '') || 'x'),
      { minLength: 1, maxLength: 6 },
    ),
  },
  { weight: 1, arbitrary: fc.constant(['x'.repeat(300), 'x'.repeat(299), 'c1']) },
);

/** How a name fails to be, or comes close to being, one of the schema's. */
export const TWISTS: Readonly<Record<string, (name: string) => string>> = {
  none: (name) => name,
  'more behind': (name) => `${name}:extra`,
  'a colon behind': (name) => `${name}:`,
  'a byte behind': (name) => `${name}0`,
  'a byte before': (name) => `x${name}`,
  'a colon before': (name) => `:${name}`,
  'a byte less': (name) => name.slice(0, -1),
  'no head': (name) => name.slice(1),
  'other case': (name) => name.replace(/^[a-z]/, (letter) => letter.toUpperCase()),
  'a segment less': (name) => name.replace(/:[^:]*/, ''),
  'an empty segment': (name) => name.replace(/:[^:]*/, ':'),
  'no colons': (name) => name.replaceAll(':', ';'),
};

/** Somebody of a cast. */
export const some = fc.nat(20);

/** How a name is made of a template and a cast. */
export const nameRecipe = fc.record({
  template: fc.nat(40),
  coordinator: some,
  swarm: some,
  runs: fc.array(
    fc.array(fc.option(fc.oneof({ weight: 3, arbitrary: some }, fc.constant(-1)), { freq: 6 }), { maxLength: 4 }),
    {
      minLength: 1,
      maxLength: 3,
    },
  ),
  twist: fc.oneof({ weight: 5, arbitrary: fc.constant('none') }, fc.constantFrom(...Object.keys(TWISTS))),
});

/** The same, drawn. */
export type NameRecipe = typeof nameRecipe extends fc.Arbitrary<infer T> ? T : never;

/** Whose names stand in the keys of a world. */
export interface Cast {
  readonly ids: readonly string[];
  readonly swarms: readonly string[];
}

/** One of them, by a number of any size. */
export function pick<T>(from: readonly T[], at: number): T {
  return from[at % from.length] as T;
}

/** The name that this recipe makes. */
export function nameOf(templates: readonly string[], cast: Cast, recipe: NameRecipe): string {
  let run = 0;
  const text = bytesOf(pick(templates, recipe.template)).replace(/\{coordinator\}|\{swarm\}|\*/g, (slot) => {
    if (slot === '{coordinator}') return pick(cast.ids, recipe.coordinator);
    if (slot === '{swarm}') return pick(cast.swarms, recipe.swarm);
    // A run of segments: ids of others, numbers, or nothing.
    const segments = pick(recipe.runs, run++);
    return segments.map((at) => (at === null ? '' : at < 0 ? '1760000000000' : pick(cast.ids, at))).join(':');
  });
  return (TWISTS[recipe.twist] ?? String)(text);
}

/** Casts of a few whom one could take for each other. */
export const castsOf = fc.record({
  ids,
  swarms: fc.constantFrom(
    ['s1'],
    ['s1', 's10', 's'],
    ['*', 's1'],
    ['agent', 'blocking', '?'],
    ['日', '\xff'].map(bytesOf),
    // Some are none.
    ['s1', 's1:c1', ''],
    ['s1', 's1:c'],
  ),
});
