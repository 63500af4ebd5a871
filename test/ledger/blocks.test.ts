import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AGELESS_MS } from '../../src/ledger/ages.ts';
import { Blocks, type Bounds, LedgerTooSmall } from '../../src/ledger/blocks.ts';
import { useRedis } from '../support/leaks.ts';

const MB = 1024 * 1024;
const DAY_MS = 86_400_000;
const server = useRedis();

function open(bounds: Partial<Bounds> = {}, prefix = '{stalesweep}'): Blocks {
  return new Blocks(server.current.redis, prefix, { sizeBytes: MB, ageMs: 90 * DAY_MS, ...bounds });
}

/** What Redis says that all keys take together. */
async function takenBytes(): Promise<number> {
  const { redis } = server.current;
  const keys = await redis.keys('*');
  const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
}
async function countedBytes(): Promise<number> {
  return Number(await server.current.redis.get('{stalesweep}:ledger:bytes'));
}

async function namesIn(blocks: Blocks, from: string): Promise<string[]> {
  const [listed = []] = await blocks.last([{ from }], 100_000);
  return listed.map(({ name }) => name).reverse();
}

describe('blocks', () => {
  test('are read as they were written, byte for byte, whatever the prefix', async () => {
    for (const prefix of ['{stalesweep}', 'Schlüssel:{ü}']) {
      const blocks = open({}, prefix);
      const bytes = randomBytes(3_000);
      expect(await blocks.write('swept/a/1', bytes, { atMs: 5 })).toBe(true);
      const read: (Buffer | null)[] = [];
      for await (const one of blocks.read(['swept/a/1', 'swept/a/2'])) read.push(one);
      expect(read).toEqual([bytes, null]);
      const heads: Buffer[] = [];
      for await (const one of blocks.heads(['swept/a/1', 'swept/a/2'], 10)) heads.push(one);
      expect(heads).toEqual([bytes.subarray(0, 10), Buffer.alloc(0)]);
    }
  });

  test('are listed by what their names begin with, the last first, and from a name on', async () => {
    const blocks = open();
    for (const name of ['runs/a/1', 'runs/a/2', 'runs/a/3', 'runs/ab/1', 'runs/b/9', 'swept/a/1']) {
      await blocks.write(name, randomBytes(20), { atMs: Number(name.at(-1)) });
    }
    expect(await blocks.last([{ from: 'runs/a/' }, { from: 'runs/b/' }, { from: 'x' }], 2)).toEqual([
      [
        { name: 'runs/a/3', atMs: 3 },
        { name: 'runs/a/2', atMs: 2 },
      ],
      [{ name: 'runs/b/9', atMs: 9 }],
      [],
    ]);
    expect(await blocks.before('runs/a/3', 'runs/a/', 1)).toEqual([{ name: 'runs/a/2', atMs: 2 }]);
    expect(await blocks.before('runs/a/1', 'runs/a/', 5)).toEqual([]);
  });

  test('are replaced only by who read what stands there', async () => {
    const blocks = open();
    const [first, second, third] = [randomBytes(50), randomBytes(50), randomBytes(50)];
    const none = Buffer.alloc(0);
    expect(await blocks.write('a', first, { atMs: 1, replaces: none })).toBe(true);
    expect(await blocks.write('a', second, { atMs: 1, replaces: none })).toBe(false);
    expect(await blocks.write('a', second, { atMs: 1, replaces: first })).toBe(true);
    expect(await blocks.write('a', third, { atMs: 1, replaces: first })).toBe(false);
    expect(await server.current.redis.getBuffer('{stalesweep}:ledger:a')).toEqual(second);
  });

  test('of two writers that replace the same one wins', async () => {
    const blocks = [open(), open()];
    const first = randomBytes(50);
    await open().write('a', first, { atMs: 1 });
    const won = await Promise.all(blocks.map((one) => one.write('a', randomBytes(50), { atMs: 1, replaces: first })));
    expect(won.toSorted()).toEqual([false, true]);
  });

  test('end another one in the same step, or not at all', async () => {
    const blocks = open();
    await blocks.write('open/a/1', randomBytes(50), { atMs: AGELESS_MS });
    await blocks.write('runs/a/1', Buffer.from('12345678-first'), { atMs: 1 });
    const end = { atMs: 2, ends: 'open/a/1' };
    expect(await blocks.write('runs/a/1', randomBytes(50), { ...end, replaces: randomBytes(8) })).toBe(false);
    expect(await namesIn(blocks, 'open/')).toEqual(['open/a/1']);
    expect(await blocks.write('runs/a/1', randomBytes(50), { ...end, replaces: Buffer.from('12345678') })).toBe(true);
    expect(await namesIn(blocks, 'open/')).toEqual([]);
    expect(await server.current.redis.exists('{stalesweep}:ledger:open/a/1')).toBe(0);
  });
});

describe('the size', () => {
  test.each([1, 30, 2_000])(
    'of 1 MB is never passed by a tenth, nor left half empty, with blocks around %i bytes',
    async (usual) => {
      const blocks = [open(), open()] as const;
      let at = 0;
      const write = async (one: Blocks): Promise<void> => {
        for (let i = 0; i < (usual < 1_000 ? 1_500 : 600); i++) {
          const length = 1 + Math.floor(usual * 2 * Math.random() * (Math.random() < 0.1 ? 10 : 1));
          const name = `swept/t${i % 3}/${String(at++).padStart(9, '0')}`;
          await one.write(name, randomBytes(length), { atMs: at });
          if (i % 100 === 0) expect(await takenBytes()).toBeLessThanOrEqual(1.1 * MB);
        }
      };
      await Promise.all(blocks.map(write));
      expect(await takenBytes()).toBeLessThanOrEqual(1.1 * MB);
      expect(await countedBytes()).toBeLessThanOrEqual(MB);
      expect(await takenBytes()).toBeGreaterThan(0.6 * (await countedBytes()));
      if (usual > 100) expect(await takenBytes()).toBeGreaterThan(0.85 * MB);
    },
  );

  test('lets the oldest go first, and what does not age never', async () => {
    const blocks = open({ sizeBytes: 64 * 1024 });
    await blocks.write('outages/a', randomBytes(1_000), { atMs: AGELESS_MS });
    const written: number[] = [];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 10_000 }), async (length) => {
        const at = written.length + 1;
        written.push(at);
        await blocks.write(`swept/a/${String(at).padStart(6, '0')}`, randomBytes(length), { atMs: at });
        const left = (await namesIn(blocks, 'swept/a/')).map((name) => Number(name.slice(-6)));
        expect(left).toEqual(written.slice(written.length - left.length));
      }),
    );
    expect(written.length).toBeGreaterThan((await namesIn(blocks, 'swept/a/')).length);
    expect(await namesIn(blocks, 'outages/')).toEqual(['outages/a']);
  });

  test('made smaller is kept to from the next write on, however much must go', async () => {
    const large = open({ sizeBytes: 8 * MB });
    for (let i = 0; i < 700; i++) await large.write(`swept/a/${1000 + i}`, randomBytes(5_000), { atMs: i });
    await open().write('swept/a/9999', randomBytes(5_000), { atMs: 1_000 });
    expect(await takenBytes()).toBeLessThanOrEqual(1.1 * MB);
    expect((await namesIn(large, 'swept/a/')).at(-1)).toBe('swept/a/9999');
  });

  test('too small for what must be written is said, and leaves what does not age', async () => {
    const blocks = open({ sizeBytes: 20_000 });
    await blocks.write('outages/a', randomBytes(1_000), { atMs: AGELESS_MS });
    await expect(blocks.write('swept/a/1', randomBytes(30_000), { atMs: 1 })).rejects.toThrow(LedgerTooSmall);
    expect(await namesIn(blocks, '')).toEqual(['outages/a']);
  });

  test('is counted anew when somebody emptied the database', async () => {
    const blocks = open();
    await blocks.write('swept/a/1', randomBytes(100_000), { atMs: 1 });
    await server.current.redis.unlink('{stalesweep}:ledger:ages', '{stalesweep}:ledger:names');
    await blocks.write('swept/a/2', randomBytes(10), { atMs: 2 });
    expect(await countedBytes()).toBeLessThan(2_000);
  });

  test('counts a block that is written again and again once', async () => {
    const blocks = open();
    for (let i = 0; i < 50; i++) await blocks.write('a', randomBytes(1 + 100 * i), { atMs: i });
    await blocks.write('a', randomBytes(10), { atMs: 60 });
    await blocks.write('open/a/1', randomBytes(10), { atMs: AGELESS_MS });
    await blocks.write('b', randomBytes(10), { atMs: 60, ends: 'open/a/1' });
    expect(await countedBytes()).toBeLessThan(1_200);
  });
});

test('what is older than the age goes with the next writes', async () => {
  const blocks = open({ ageMs: DAY_MS });
  for (let i = 0; i < 5; i++) await blocks.write(`swept/a/${i}`, randomBytes(10), { atMs: i });
  await blocks.write('swept/a/5', randomBytes(10), { atMs: DAY_MS + 3 });
  await blocks.write('swept/a/6', randomBytes(10), { atMs: DAY_MS + 3 });
  expect(await namesIn(blocks, 'swept/')).toEqual(['swept/a/3', 'swept/a/4', 'swept/a/5', 'swept/a/6']);
});
