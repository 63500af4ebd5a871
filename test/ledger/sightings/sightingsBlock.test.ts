import { randomUUID } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DamagedBlock, readBlock, SightingsBuilder } from '../../../src/ledger/sightings/sightingsBlock.ts';

const ROOM = 32 * 1024 * 1024;

interface Seen {
  readonly coordinator: Uint8Array;
  readonly swarm: Uint8Array | null;
  readonly beatAtSeconds: number;
}

function addTo(builder: SightingsBuilder, { coordinator, swarm, beatAtSeconds }: Seen): void {
  builder.add(coordinator, 0, coordinator.length, swarm, 0, swarm?.length ?? 0, beatAtSeconds);
}

async function build(seen: Iterable<Seen>, mostBytes = ROOM) {
  const builder = new SightingsBuilder(mostBytes);
  for (const one of seen) addTo(builder, one);
  return { builder, blocks: await builder.finish() };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
function lineOf({ coordinator, swarm, beatAtSeconds }: Seen): string {
  return `${hex(coordinator)} ${swarm === null ? 'none' : `"${hex(swarm)}"`} ${beatAtSeconds}`;
}

async function readAll(blocks: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  for (const block of blocks) for (const one of await readBlock(block)) lines.push(lineOf(one));
  return lines;
}

function seen(coordinator: string, swarm: string | null, beatAtSeconds = 1_760_000_000): Seen {
  return {
    coordinator: Buffer.from(coordinator),
    swarm: swarm === null ? null : Buffer.from(swarm),
    beatAtSeconds,
  };
}

/** Numbers without order, but the same each time. */
function draw(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** All numbers below `count`, each once, in an order without order, as SCAN has it. */
function scattered(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const random = draw();
  for (let i = count - 1; i > 0; i--) {
    const other = random(i + 1);
    [numbers[i], numbers[other]] = [numbers[other] as number, numbers[i] as number];
  }
  return numbers;
}

const sightings = fc.array(
  fc.record({
    // Few different bytes, so that names repeat and begin alike.
    coordinator: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.constantFrom(0, 58, 97, 225), { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)),
    ),
    swarm: fc.option(
      fc.oneof(
        fc.uint8Array({ maxLength: 2000 }),
        fc.array(fc.constantFrom(0, 58, 97, 225), { maxLength: 5 }).map((bytes) => Uint8Array.from(bytes)),
      ),
    ),
    beatAtSeconds: fc.oneof(
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.integer({ min: 1_760_000_000, max: 1_760_000_600 }),
    ),
  }),
  { maxLength: 200 },
);

describe('a block', () => {
  test('gives back just what was added, whatever bytes and times that is', async () => {
    await fc.assert(
      fc.asyncProperty(sightings, async (all) => {
        const { builder, blocks } = await build(all);
        expect(builder.count).toBe(all.length);
        expect(builder.leftOut).toBe(0);
        expect((await readAll(blocks)).sort()).toEqual(all.map(lineOf).sort());
      }),
    );
  });

  test('tells no swarm from one without a name, and keeps one seen twice twice', async () => {
    const all = [seen('c', null), seen('c', ''), seen('c', ''), seen('', null), seen('', ''), seen('c', 'c')];
    const { blocks } = await build(all);
    expect((await readAll(blocks)).sort()).toEqual(all.map(lineOf).sort());
  });

  test('copies only the named range of what is added', async () => {
    const builder = new SightingsBuilder(ROOM);
    const key = Buffer.from('swarm:s1:blocking:heartbeat:c1');
    builder.add(key, 28, 30, key, 6, 8, 5);
    key.fill(0);
    expect(await readAll(await builder.finish())).toEqual([lineOf(seen('c1', 's1', 5))]);
  });

  test('is followed by others: nobody is lost between them, nor are long names', async () => {
    const long = 'x'.repeat(300_000);
    const all = scattered(70_000).map((n) => seen(n % 10_000 === 0 ? `${long}${n}` : `c${n}`, `s${n % 100}`, n));
    const { builder, blocks } = await build(all);
    expect(blocks.length).toBeGreaterThan(2);
    expect(builder.leftOut).toBe(0);
    expect((await readAll(blocks)).sort()).toEqual(all.map(lineOf).sort());
  });

  test('leaves out who has a name of a megabyte, and says so', async () => {
    const { builder, blocks } = await build([seen('a', null), seen('b'.repeat(2 ** 20 + 1), null), seen('c', null)]);
    expect([builder.count, builder.leftOut]).toEqual([3, 1]);
    expect(await readAll(blocks)).toHaveLength(2);
  });

  test('is made of nothing when nothing was added', async () => {
    expect((await build([])).blocks).toEqual([]);
  });
});

describe('the room', () => {
  test.each([0, 1_000, 300_000, 1_000_000])(
    '%i bytes are kept to, and who did not fit is counted (P9)',
    async (most) => {
      const { builder, blocks } = await build(
        scattered(150_000).map((n) => seen(randomUUID(), `swarm-${n % 100}`)),
        most,
      );
      expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(most);
      const kept = (await readAll(blocks)).length;
      expect(builder.count).toBe(150_000);
      expect(builder.leftOut).toBe(150_000 - kept);
      // What remains is less than a block.
      expect(kept).toBeGreaterThanOrEqual(Math.floor(most / 20) - 33_000);
    },
  );

  const team = (n: number): number => Math.floor(n / 20);
  test.each<[string, (n: number) => readonly [string, string | null], number]>([
    ['coordinator-N', (n) => [`coordinator-${n}`, null], 5],
    ['coordinator-N in swarms of 20', (n) => [`coordinator-${n}`, `swarm-${team(n)}`], 6],
    ['coordinator-N, swarms all over', (n) => [`coordinator-${n}`, `swarm-${n % 10_000}`], 7],
    ['test-swarm-N:coordinator-N', (n) => [`test-swarm-${n}:coordinator-${n}`, null], 8],
    ['…, in that swarm', (n) => [`test-swarm-${team(n)}:coordinator-${n}`, `test-swarm-${team(n)}`], 8],
    ['roles in named swarms', (n) => [`${['lead', 'critic'][n % 2]}-${n % 20}`, `phase-${team(n) * 977}-auth`], 8],
  ])('suffices at 12 bytes each for %s (P11)', async (_, nameOf, most) => {
    const count = 200_000;
    const random = draw();
    const { blocks } = await build(scattered(count).map((n) => seen(...nameOf(n), 1_760_000_000 + random(600))));
    const each = blocks.reduce((sum, { length }) => sum + length, 0) / count;
    expect(each).toBeLessThanOrEqual(12);
    // Far less in fact; more than this is a step back.
    expect(each).toBeLessThanOrEqual(most);
  });
});

describe('a damaged block', () => {
  const good = async () =>
    (await build(scattered(3_000).map((n) => seen(`c${n}`, `s${n % 7}`, n)))).blocks[0] as Buffer;
  const reading = async (block: Buffer): Promise<unknown> => {
    try {
      return [...(await readBlock(block))].length;
    } catch (error) {
      return error;
    }
  };

  test('is noticed before its first sighting is read, wherever it was altered or cut off', async () => {
    const block = await good();
    for (let at = 0; at < block.length; at += 37) {
      const altered = Buffer.from(block);
      altered[at] = (altered[at] as number) ^ 0x10;
      await expect(readBlock(altered)).rejects.toThrow(DamagedBlock);
      await expect(readBlock(block.subarray(0, at))).rejects.toThrow(DamagedBlock);
    }
  });

  test('throws nothing but that it is damaged, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, ours) => {
        const result = await reading(deflateSync(ours ? Buffer.concat([Buffer.of(1), bytes]) : bytes));
        expect(typeof result === 'number' || result instanceof DamagedBlock).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(await reading(Buffer.from('something else'))).toBeInstanceOf(DamagedBlock);
  });

  test('takes no more memory than a whole one (P9)', async () => {
    await expect(readBlock(deflateSync(Buffer.alloc(64 * 1024 * 1024)))).rejects.toThrow(DamagedBlock);
  });
});
