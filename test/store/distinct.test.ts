import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Distinct } from '../../src/store/distinct.ts';

const names = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 60 });

test('each name counts once, whichever came before', () => {
  fc.assert(
    fc.property(names, (some) => {
      const distinct = new Distinct();
      const known = new Set<string>();
      for (const name of [...some, ...some]) {
        const text = Buffer.from(name).toString('latin1');
        expect(distinct.add(name)).toBe(!known.has(text));
        known.add(text);
        expect(distinct.count).toBe(known.size);
      }
      distinct.clear();
      expect(distinct.count).toBe(0);
      for (const [first] of [some].filter(({ length }) => length > 0))
        expect(distinct.add(first as Uint8Array)).toBe(true);
    }),
  );
});

test('of more than are told apart those beyond count each time, and the others once', () => {
  const distinct = new Distinct(10);
  const all = Array.from({ length: 15 }, (_, n) => Buffer.from(`name-${n}`));
  for (let round = 0; round < 3; round++) for (const name of all) distinct.add(name);
  expect(distinct.count).toBe(10 + 3 * 5);
});
