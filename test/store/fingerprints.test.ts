import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fingerprinter } from '../../src/store/fingerprints.ts';
import { FingerprintMap, FingerprintSet } from '../../src/store/fingerprintTables.ts';

const WORD = 2 ** 32;

/** Halves that fall on the same slots, at both ends of the table, and some of anywhere: nearly all of them collide. */
const low = fc.oneof(
  fc.constantFrom(1, 2, 3, WORD - 1, WORD - 2, WORD / 2),
  fc.integer({ min: WORD - 1_000, max: WORD - 1 }),
  fc.integer({ min: 1, max: WORD - 1 }),
);
const print = fc.tuple(fc.constantFrom(0, 1, WORD - 1), low);
const prints = fc.array(print, { maxLength: 3_000, size: 'max' });

test('a set has what was added to it and nothing else, however full it is and whatever falls on one slot', () => {
  fc.assert(
    fc.property(prints, prints, (added, asked) => {
      const set = new FingerprintSet();
      const due = new Set(added.map(String));
      for (const [high, itsLow] of added) set.add(high, itsLow);
      expect(set.size).toBe(due.size);
      const wrong = [...added, ...asked].filter(
        ([high, itsLow]) => set.has(high, itsLow) !== due.has(`${high},${itsLow}`),
      );
      expect(wrong).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('a map gives for each fingerprint what was set last', () => {
  fc.assert(
    fc.property(prints, prints, (added, asked) => {
      const map = new FingerprintMap();
      const due = new Map<string, number>();
      for (const [i, [high, itsLow]] of added.entries()) {
        map.set(high, itsLow, i + 1);
        due.set(`${high},${itsLow}`, i + 1);
      }
      expect(map.size).toBe(due.size);
      const wrong = [...added, ...asked].filter(
        ([high, itsLow]) => map.get(high, itsLow) !== (due.get(`${high},${itsLow}`) ?? 0),
      );
      expect(wrong).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('a fingerprint is the same however one comes to it, and another one for every other name', () => {
  const name = fc.oneof(
    fc.nat(3_000).map((n) => `coordinator-${n}`),
    fc.string({ unit: fc.constantFrom('a', '\0', 'ÿ', ':'), maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(name, { maxLength: 300, size: 'max' }), fc.nat(6), (all, cut) => {
      const prints = new Fingerprinter();
      const seen = new Map<string, string>();
      for (const text of all) {
        const bytes = Buffer.from(`x${text}y`, 'latin1');
        const to = bytes.length - 1;
        prints.take(bytes, 1, to);
        const direct = `${prints.high},${prints.low}`;
        expect(prints.low).not.toBe(0);
        prints.forget();
        prints.takeOn(bytes, 1, Math.min(1 + cut, to));
        prints.takeOn(bytes, 1, to);
        expect(`${prints.high},${prints.low}`).toBe(direct);
        expect(seen.get(direct) ?? text).toBe(text);
        seen.set(direct, text);
      }
    }),
    { numRuns: 50 },
  );
});

test('no two stores take the same fingerprint of a name', () => {
  const name = Buffer.from('c1');
  const all = Array.from({ length: 20 }, () => {
    const prints = new Fingerprinter();
    prints.take(name, 0, name.length);
    return `${prints.high},${prints.low}`;
  });
  expect(new Set(all).size).toBe(all.length);
});
