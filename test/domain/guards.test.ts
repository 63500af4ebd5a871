import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PatternFinder, protectionOf } from '../../src/domain/protection.ts';
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

  test('is the same among many patterns as by each alone', () => {
    const unit = fc.constantFrom('a', 'b', 'ü', ':', '*');
    const many = fc.array(fc.string({ unit, maxLength: 7 }), { minLength: 9, maxLength: 40 });
    fc.assert(
      fc.property(many, fc.string({ unit: fc.constantFrom('a', 'b', 'ü', ':'), maxLength: 12 }), (patterns, word) => {
        const id = Buffer.from(word).toString('latin1');
        const byEach = patterns.some((pattern) => protectionOf([pattern])(id));
        expect(protectionOf(patterns)(id)).toBe(byEach);
      }),
    );
  });

  test.each([
    ['at the end', (n: number) => ['', `-nobody-${n}`]],
    ['at both ends', (n: number) => ['', `x${n}`, 'y', '']],
    ['at the beginning', (n: number) => [`leader-${n}`, '']],
  ])('is compared with a few of a thousand patterns that are fixed %s', (_, partsOf) => {
    const finder = new PatternFinder(Array.from({ length: 1_000 }, (_, n) => partsOf(n)));
    let compared = 0;
    const ids = Array.from({ length: 1_000 }, (_, n) => `swarm-${n % 50}:coordinator-${n}`);
    for (const id of ids) {
      finder.some(id, () => {
        compared++;
        return false;
      });
    }
    expect(compared).toBeLessThan(30 * ids.length);
  });
});
