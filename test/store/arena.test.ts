import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena, NONE } from '../../src/store/arena.ts';

/** Records of all sizes: many in a chunk, one that fills it, and those that have a chunk of their own. */
const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 9, max: 300 }) },
  fc.integer({ min: 9, max: 70_000 }),
  fc.constantFrom(65_535, 65_536, 65_537, 200_000),
);
const sizes = fc.array(size, { maxLength: 80, size: 'max' });

const WORDS = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];

test('what was written to a record is there, whatever was written to others', () => {
  fc.assert(
    fc.property(sizes, fc.infiniteStream(fc.nat()), (all, draws) => {
      const draw = () => draws.next().value ?? 0;
      const arena = new Arena();
      const records = all.map((bytes) => {
        const record = arena.allocate(bytes);
        const content = Buffer.alloc(bytes - 9, draw());
        const [word, byte] = [WORDS[draw() % WORDS.length] ?? 0, draw() % 256];
        arena.writeWord(record, 0, word);
        arena.writeByte(record, 4, byte);
        arena.writeWord(record, 5, content.length);
        arena.writeBytes(record, 9, content, 0, content.length);
        return { record, word, byte, content };
      });
      expect(arena.bytes).toBe(all.reduce((sum, bytes) => sum + bytes, 0));
      expect(new Set([NONE, ...records.map(({ record }) => record)]).size).toBe(records.length + 1);
      for (const { record, word, byte, content } of records) {
        expect([arena.readWord(record, 0), arena.readByte(record, 4)]).toEqual([word, byte]);
        const { bytes, from, to } = arena.sliceOf(record, 9, content.length);
        expect(content.equals(bytes.subarray(from, to))).toBe(true);
        const around = Buffer.concat([Buffer.of(7), content, Buffer.of(7)]);
        expect(arena.holds(record, 5, 9, around, 1, around.length - 1)).toBe(true);
        expect(arena.holds(record, 5, 9, around, 1, around.length)).toBe(false);
        if (content.length === 0) continue;
        const at = 1 + (draw() % content.length);
        around[at] = (around[at] ?? 0) ^ 1;
        expect(arena.holds(record, 5, 9, around, 1, around.length - 1)).toBe(false);
      }
    }),
    { numRuns: 30 },
  );
});

test('an arena that was cleared holds nothing, and takes records as a new one does', () => {
  const arena = new Arena();
  const first = arena.allocate(100);
  arena.allocate(100_000);
  arena.clear();
  expect(arena.bytes).toBe(0);
  expect(arena.allocate(100)).toBe(first);
});
