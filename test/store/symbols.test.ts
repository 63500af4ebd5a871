import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mostPacked, Symbols } from '../../src/store/symbols.ts';

/** Names that have much in common, names that have nothing, and bytes of any kind. */
const name = fc.oneof(
  fc.nat(3_000).map((n) => Buffer.from(`swarm-${n % 20}:coordinator-${n}:17600000000${n % 10}`)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: fc.constantFrom('\0', 'ÿ', 'a'), maxLength: 12 }).map((text) => Buffer.from(text, 'latin1')),
);
const sample = fc.array(name, { maxLength: 100 });

test('whatever was packed is the same when unpacked, whatever the symbols were learnt from', () => {
  fc.assert(
    fc.property(sample, fc.array(name, { maxLength: 50 }), (learnt, names) => {
      const symbols = new Symbols(learnt);
      for (const bytes of [...names, ...learnt]) {
        const packed = Buffer.alloc(mostPacked(bytes.length) + 2, '!');
        // In the middle of others, which stay as they are.
        const around = Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>')]);
        const length = symbols.pack(around, 1, around.length - 1, packed);
        expect(packed.subarray(length).every((byte) => byte === 0x21)).toBe(true);
        const back = Buffer.alloc(bytes.length + 2, '?');
        symbols.unpack(packed.subarray(0, length), 0, back, 1, back.length - 1);
        expect(back.toString('latin1')).toBe(`?${bytes.toString('latin1')}?`);
      }
    }),
  );
});

test('names like those it was learnt from take less than half of their bytes', () => {
  const of = (n: number) => Buffer.from(`swarm-${n % 977}:coordinator-${n}:coordinator-${n + 1}:done:17600000${n}`);
  const symbols = new Symbols(Array.from({ length: 500 }, (_, n) => of(n * 61)));
  const names = Array.from({ length: 5_000 }, (_, n) => of(n * 7));
  const packed = Buffer.alloc(500);
  const sum = names.reduce((total, bytes) => total + symbols.pack(bytes, 0, bytes.length, packed), 0);
  expect(sum).toBeLessThan(names.reduce((total, { length }) => total + length, 0) / 2);
});

test.each([[0], [1], [60], [512]])(
  'learns from no more than 32 KiB of names, however long they are: of %i bytes',
  (length) => {
    let asked = 0;
    function* endless() {
      for (;;) {
        asked++;
        yield Buffer.alloc(length, `${asked}:`);
      }
    }
    new Symbols(endless());
    expect(asked).toBe(Math.ceil((32 * 1024) / Math.max(1, length)));
  },
);
