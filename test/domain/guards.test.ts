import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protectionOf } from '../../src/domain/protection.ts';
import { isSudden } from '../../src/domain/suddenSilence.ts';

describe('a sudden silence (P12)', () => {
  const setting = { fraction: 0.5, from: 20 };
  test.each([
    [1_000, 400, true],
    [1_000, 500, false],
    [1_000, 499, true],
    [1_000, 600, false],
    [30, 10, true],
    [30, 11, false],
    [19, 0, false],
    [20, 0, true],
    [0, 0, false],
    [null, 0, false],
  ])('of %s active ones %i are left: %s', (before, now, sudden) => {
    expect(isSudden(before, now, setting)).toBe(sudden);
  });
});

describe('a protected id', () => {
  test.each([
    [['c42'], 'c42', true],
    [['c42'], 'c421', false],
    [['c42'], 'xc42', false],
    [['leader-*'], 'leader-', true],
    [['leader-*'], 'leader-7:x', true],
    [['leader-*'], 'a-leader-7', false],
    [['*:mail', 'b'], 'a:b:mail', true],
    [['a.c', 'x[1]?'], 'abc', false],
    [['x[1]?'], 'x[1]?', true],
    [['grün-*'], Buffer.from('grün-1').toString('latin1'), true],
    [[], 'c42', false],
  ])('%j protects %s: %s', (patterns, id, is) => {
    expect(protectionOf(patterns)(id)).toBe(is);
  });

  test('is one that the pattern becomes with anything for its stars, and no other', () => {
    const parts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '.', '\\'), maxLength: 3 }), {
      minLength: 1,
      maxLength: 4,
    });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\\'), maxLength: 8 });
    fc.assert(
      fc.property(parts, text, text, (some, between, other) => {
        const protects = protectionOf([some.join('*')]);
        expect(protects(some.join(between))).toBe(true);
        const escaped = some.map((part) => part.replace(/[.\\]/g, '\\$&'));
        expect(protects(other)).toBe(new RegExp(`^${escaped.join('.*')}$`).test(other));
      }),
    );
  });
});
