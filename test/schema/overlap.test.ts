/** Whether two templates can name one key, held against all names of a small alphabet up to some length (P2). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IdShape } from '../../src/schema/ids.ts';
import { ANY_SEGMENTS } from '../../src/schema/keyReader.ts';
import { Matcher, patternOf } from '../../src/schema/matcher.ts';
import { overlap } from '../../src/schema/overlap.ts';
import { parseTemplate } from '../../src/schema/template.ts';

const ALPHABET = ['a', 'b', ':'];
const LONGEST = 9;

/** Every name over the alphabet, shortest first. */
const NAMES: readonly Buffer[] = (() => {
  const names = [''];
  for (let from = 0, length = 1; length <= LONGEST; length++) {
    const to = names.length;
    for (; from < to; from++) for (const letter of ALPHABET) names.push(`${names[from]}${letter}`);
  }
  return names.map((name) => Buffer.from(name));
})();

/** Names a template can read, worked out by trying all of them. */
function readBy(text: string, ids: IdShape): ReadonlySet<number> {
  const matcher = new Matcher(ids);
  const pattern = patternOf(parseTemplate(text));
  const found = NAMES.flatMap((name, i) => {
    const hasShape = ({ idSegments }: { idSegments: number }) =>
      ids.segments === null ? idSegments > 0 : idSegments === ids.segments;
    return matcher.read(pattern, name, ANY_SEGMENTS, hasShape) ? [i] : [];
  });
  return new Set(found);
}

const part = fc.constantFrom(
  'a',
  'b',
  'ab',
  '*',
  'a*',
  '*b',
  '{swarm}',
  'a{swarm}',
  '{id}',
  'a{id}',
  '{id}b',
  'b{id}a',
);
const text = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(':').replaceAll('{id}', '{coordinator}'))
  .filter((one) => {
    try {
      parseTemplate(one);
      return true;
    } catch {
      return false;
    }
  });

const shape: fc.Arbitrary<IdShape> = fc.record({
  segments: fc.constantFrom(1, 1, null, null, 2),
  never: fc.constantFrom<string[]>([], ['a'], ['a', 'ab'], ['b']),
});

test('tells exactly which templates can name one key, whatever the shape of ids (P2)', () => {
  let met = 0;
  let apart = 0;
  fc.assert(
    fc.property(text, text, shape, (left, right, ids) => {
      const names = readBy(left, ids);
      const shared = [...readBy(right, ids)].some((name) => names.has(name));
      const told = overlap(parseTemplate(left), parseTemplate(right), ids);
      // Where the shortest name that both read is longer than those tried, only the automata can tell.
      if (shared) expect(told).toBe(true);
      else if (told) fc.pre(false);
      if (shared) met++;
      else apart++;
    }),
    { numRuns: 60 },
  );
  expect(met).toBeGreaterThan(4);
  expect(apart).toBeGreaterThan(4);
});

test.each([
  ['agents:{coordinator}:mail*', 'agents:*:to-{coordinator}', true],
  ['agents:{coordinator}:mail', 'agents:*:to-{coordinator}', false],
  ['lock:{coordinator}', 'lock:{coordinator}:*', false],
  ['a{coordinator}', '{coordinator}b', true],
])('%s and %s, ids of one segment: %s', (left, right, expected) => {
  expect(overlap(parseTemplate(left), parseTemplate(right), { segments: 1, never: [] })).toBe(expected);
});

test('knows that an id of several segments reaches further, and that words end it', () => {
  const [lock, below] = [parseTemplate('lock:{coordinator}'), parseTemplate('lock:{coordinator}:*')];
  expect(overlap(lock, below, { segments: null, never: [] })).toBe(true);
  const [state, beat] = [parseTemplate('s:{coordinator}'), parseTemplate('s:heartbeat:{coordinator}')];
  expect(overlap(state, beat, { segments: null, never: [] })).toBe(true);
  expect(overlap(state, beat, { segments: null, never: ['heartbeat'] })).toBe(false);
});
