/** Lists where only a text can stand. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { resolveConfig } from '../../src/config/resolve.ts';

function protectedBy(text: string): readonly string[] | undefined {
  const env = { REDIS_URL: 'redis://localhost', STALESWEEP_PROTECT: text };
  return resolveConfig({}, env).targets.get('default')?.protect;
}
const written = (ids: readonly string[]) =>
  resolveConfig(
    {},
    { REDIS_URL: 'redis://localhost' },
    { name: 'x.yaml', text: JSON.stringify({ protect: ids }) },
  ).targets.get('default')?.protect;

const bare = fc.stringMatching(/^[a-z][a-z0-9:*-]{0,8}$/);
const any = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((id) => id.trim() !== '' && !id.includes('\0'));

test('who is protected is so however the environment lists them', () => {
  fc.assert(
    fc.property(fc.array(bare, { minLength: 1, maxLength: 4 }), (ids) => {
      const expected = written(ids);
      for (const text of [ids.join(','), ` ${ids.join(' , ')} `, `[${ids.join(', ')}]`, `[ ${ids.join(',')}, ]`])
        expect(protectedBy(text), text).toEqual(expected);
      expect(protectedBy(`[${ids.map((id) => `'${id}'`).join(', ')}]`)).toEqual(expected);
    }),
  );
  fc.assert(
    fc.property(fc.array(any, { maxLength: 4 }), (ids) => {
      expect(protectedBy(JSON.stringify(ids))).toEqual(written(ids));
    }),
  );
});

test.each(['[c42', '[c42, [d]]', '["c42]', '[a "b"]', '["\\x"]', '[{a}]'])(
  'a list that is none stops the start: %s',
  (text) => {
    expect(() => protectedBy(text)).toThrow(Failure);
    expect(() => protectedBy(text)).toThrow(/^STALESWEEP_PROTECT: .* must be a list such as \[c42, "leader-\*"\]$/);
  },
);
