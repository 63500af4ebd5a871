import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Swarms } from '../../src/store/swarms.ts';

const MOST = 100_000;

function textsOf(names: Iterable<Buffer>) {
  return [...names].map((name) => name.toString('latin1')).sort();
}

function sliceOf(text: string) {
  const bytes = Buffer.from(`x${text}y`, 'latin1');
  return { bytes, from: 1, to: bytes.length - 1 };
}

test('knows each swarm of one segment once, and in which of them somebody lives', () => {
  const name = fc.oneof(
    fc.nat(20).map((n) => `s${n}`),
    fc.string({ unit: fc.constantFrom('\0', 'ÿ', 'a', ':'), maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.boolean())), (sights) => {
      const swarms = new Swarms();
      for (const [text, lives] of sights) swarms.see(sliceOf(text), lives);
      const whole = sights.filter(([text]) => text !== '' && !text.includes(':'));
      const all = new Set(whole.map(([text]) => text));
      const living = new Set(whole.filter(([, lives]) => lives).map(([text]) => text));
      expect(textsOf(swarms.all())).toEqual([...all].sort());
      expect(textsOf(swarms.living())).toEqual([...living].sort());
      expect([swarms.count, swarms.livingCount]).toEqual([all.size, living.size]);
    }),
  );
});

test('remembers no more swarms than it says, and goes on noting who lives in those', () => {
  const swarms = new Swarms();
  for (let n = 0; n < MOST + 10; n++) swarms.see(sliceOf(`s${n}`), false);
  expect(swarms.count).toBe(MOST);
  swarms.see(sliceOf('s0'), true);
  swarms.see(sliceOf(`s${MOST + 5}`), true);
  expect(textsOf(swarms.living())).toEqual(['s0']);
});
