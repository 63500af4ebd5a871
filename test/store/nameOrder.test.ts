import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NameOrder } from '../../src/store/nameOrder.ts';

const name = fc.oneof(
  fc.integer({ min: 0, max: 3_000 }).map((n) => `coordinator-${n}`),
  fc.integer({ min: 0, max: 300 }).map((n) => `swarm-${Math.floor(n / 20)}:coordinator-${n}`),
  fc.string({ unit: fc.constantFrom('a', 'b', '\0', 'ÿ'), minLength: 1, maxLength: 12 }),
);

test('puts names in order: shorter ones first, then byte by byte, whatever they hold', () => {
  fc.assert(
    fc.property(fc.array(name, { maxLength: 200 }), (names) => {
      const slices = names.map((text) => {
        const bytes = Buffer.from(`x${text}y`, 'latin1');
        return { bytes, from: 1, to: bytes.length - 1 };
      });
      const order = new NameOrder(names.length, (i) => slices[i] as (typeof slices)[number]);
      for (const i of names.keys()) order.add(i);
      const sorted = [...order.inOrder()].map((i) => names[i] ?? '');
      const expected = names.toSorted((a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));
      expect(sorted).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
