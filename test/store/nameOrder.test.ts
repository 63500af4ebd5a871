import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NameOrder } from '../../src/store/nameOrder.ts';

const name = fc.oneof(
  fc.integer({ min: 0, max: 3_000 }).map((n) => `coordinator-${n}`),
  fc.integer({ min: 0, max: 300 }).map((n) => `swarm-${Math.floor(n / 20)}:coordinator-${n}`),
  fc.string({ unit: fc.constantFrom('a', 'b', '\0', 'ÿ'), minLength: 1, maxLength: 12 }),
);

/** These names, as they are put in order. */
async function sorted(names: readonly string[]): Promise<string[]> {
  const slices = names.map((text) => {
    const bytes = Buffer.from(`x${text}y`, 'latin1');
    return { bytes, from: 1, to: bytes.length - 1 };
  });
  const order = new NameOrder(names.length, (i) => slices[i] as (typeof slices)[number]);
  const texts: string[] = [];
  for await (const some of order.inOrder(names.keys())) for (const i of some) texts.push(names[i] ?? '');
  return texts;
}

function due(names: readonly string[]) {
  return names.toSorted((a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));
}

test('puts names in order: shorter ones first, then byte by byte, whatever they hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(name, { maxLength: 200 }), async (names) => {
      expect(await sorted(names)).toEqual(due(names));
    }),
    { numRuns: 300 },
  );
});

test('so many as well that they are dealt out byte by byte first, also where nearly all are the same', async () => {
  const more = fc.array(name, { minLength: 1, maxLength: 200 });
  const long = fc.constantFrom('', 'z'.repeat(300));
  await fc.assert(
    fc.asyncProperty(more, fc.nat(3), long, async (some, width, beginning) => {
      // Numbers in an order of their own; of a width of 0 all are the same.
      const numbers = Array.from({ length: 20_000 }, (_, n) => `${beginning}${(n * 7_919) % 10 ** (2 * width)}`);
      const names = [...some, ...numbers, ...some];
      const inOrder = await sorted(names);
      // A name of megabytes is not printed.
      expect(inOrder.length).toBe(names.length);
      expect(due(names).every((text, i) => text === inOrder[i])).toBe(true);
    }),
    { numRuns: 6 },
  );
});

test('lets the process see to other things meanwhile', async () => {
  let breaths = 0;
  const breath = setInterval(() => breaths++, 0);
  try {
    await sorted(Array.from({ length: 100_000 }, (_, n) => `coordinator-${n}`));
    expect(breaths).toBeGreaterThan(2);
  } finally {
    clearInterval(breath);
  }
});
