import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DamagedBlock } from '../../src/ledger/block/damagedBlock.ts';
import { Batch, BatchRoom, type Going, type Swept } from '../../src/ledger/swept/batch.ts';
import { MOST_ROWS } from '../../src/ledger/swept/batchForm.ts';
import { Blocks } from '../../src/ledger/blocks.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { batchName } from '../../src/ledger/runs/names.ts';
import { type BatchRow, readBatch } from '../../src/ledger/swept/readBatch.ts';
import { restorableUntilMs } from '../../src/ledger/swept/restorable.ts';
import { useRedis } from '../support/leaks.ts';
import { FAMILIES, ledgerIn, reportOf, runOf, unexpected } from './story.ts';

const server = useRedis();
/** Of names' bytes in a batch. */
const PLENTY = 1_000_000;

function going(id: string, swarm: string | null = null, beatMs: number | null = 1_760_000_000_123): Going {
  return {
    coordinator: Buffer.from(id),
    swarm: swarm === null ? null : Buffer.from(swarm),
    beatMs,
    silenceSeconds: 700,
  };
}
function gone(id: string, swarm: string | null = null): Swept {
  return {
    ...going(id, swarm),
    keysByFamily: [1, 1, 2, 0, 1, 0],
  };
}

const META = {
  run: '1',
  target: 'default',
  trigger: 'manual',
  by: null,
  startedAtMs: 1,
  atMs: 2,
  families: FAMILIES,
} as const;

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}
function lineOf(
  row: Omit<Going, 'names'>,
  fate: string,
  keysByFamily: readonly (number | null)[] | null,
  names: readonly Uint8Array[] | null,
) {
  return JSON.stringify([
    [hex(row.coordinator), hex(row.swarm), row.beatMs, row.silenceSeconds],
    [fate, keysByFamily, names?.map(hex) ?? null],
  ]);
}
function linesOf(rows: Iterable<BatchRow>): string[] {
  return Array.from(rows, (row) => lineOf(row, row.fate, row.keysByFamily, row.names));
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.array(fc.constantFrom(0, 58, 97, 225), { maxLength: 8 }).map((all) => Uint8Array.from(all)),
);
const row = fc.record({
  coordinator: bytes,
  swarm: fc.option(bytes),
  beatMs: fc.option(fc.oneof(fc.nat(2 ** 31), fc.integer({ min: 1_760_000_000_000, max: 1_760_000_600_000 }))),
  silenceSeconds: fc.oneof(fc.constant(601), fc.nat(10_000_000)),
  names: fc.array(bytes, { maxLength: 4 }),
  fate: fc.constantFrom('unknown', 'swept', 'swept'),
  keysByFamily: fc.array(fc.option(fc.nat(3)), { minLength: 6, maxLength: 6 }),
});
const rows = fc.uniqueArray(row, {
  maxLength: 120,
  selector: ({ coordinator, swarm }) => `${hex(coordinator)} ${hex(swarm)}`,
});

describe('a batch', () => {
  test('gives back who was about to be swept and what became of each, whatever bytes and numbers that is', async () => {
    const room = new BatchRoom();
    await fc.assert(
      fc.asyncProperty(rows, fc.boolean(), fc.boolean(), async (all, withNames, certain) => {
        const batch = new Batch(room, withNames ? PLENTY : 0);
        for (const one of all) {
          room.take(one);
          expect(batch.add(one)).toBe(true);
          expect(batch.add(one)).toBe(false);
        }
        await batch.close();
        const named = withNames && all.some(({ names }) => names.length > 0);
        const namesOf = ({ names }: { names: Uint8Array[] }) => (named ? names : null);
        const ahead = await readBatch(await batch.encode(META));
        expect(ahead.meta).toEqual(META);
        expect(linesOf(ahead.rows).sort()).toEqual(all.map((one) => lineOf(one, 'unknown', null, namesOf(one))).sort());

        for (const one of all.filter(({ fate }) => fate === 'swept')) {
          room.take(one);
          expect(batch.sweep(one)).toBe(true);
        }
        if (certain) batch.keepOthers();
        const fateOf = ({ fate }: { fate: string }) => (certain && fate === 'unknown' ? 'kept' : fate);
        const after = await readBatch(await batch.encode(META));
        const again = linesOf((await readBatch(await batch.encode(META))).rows);
        // Once it is known of all, of nobody else than those who are gone.
        const isKnown = certain || all.every(({ fate }) => fate === 'swept');
        const leftNames = (one: (typeof all)[number]) => (named && isKnown && one.fate !== 'swept' ? [] : namesOf(one));
        const expected = all
          .map((one) => lineOf(one, fateOf(one), one.fate === 'swept' ? one.keysByFamily : null, leftNames(one)))
          .sort();
        expect(linesOf(after.rows).sort()).toEqual(expected);
        expect(again.sort()).toEqual(expected);
      }),
    );
  });

  test('throws nothing but that it is damaged, whatever it holds', async () => {
    const room = new BatchRoom();
    const batch = new Batch(room, PLENTY);
    for (let i = 0; i < 300; i++) {
      const one = { ...gone(`coordinator-${i}`, `swarm-${i % 7}`), names: [Buffer.from(`key-${i}`)] };
      room.take(one);
      batch.add(one);
    }
    await batch.close();
    for (let i = 0; i < 200; i++) {
      room.take(gone(`coordinator-${i}`, `swarm-${i % 7}`));
      batch.sweep(gone(`coordinator-${i}`, `swarm-${i % 7}`));
    }
    const whole = await batch.encode(META);
    const expected = linesOf((await readBatch(whole)).rows);
    const readOrDamaged = async (sealed: Buffer): Promise<string[] | null> => {
      try {
        return linesOf((await readBatch(sealed)).rows);
      } catch (error) {
        expect(error).toBeInstanceOf(DamagedBlock);
        return null;
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const altered = Buffer.from(whole);
        altered[at] = (altered[at] as number) ^ flip;
        const read = await readOrDamaged(altered);
        if (read !== null) expect(read).toEqual(expected);
        expect(await readOrDamaged(whole.subarray(0, at))).toBe(null);
        await readOrDamaged(randomBytes(at));
      }),
    );
  });
});

async function sweptIn(run: { target: string; run: string; startedAtMs: number }): Promise<string[]> {
  const found: string[] = [];
  for await (const { rows: all } of ledgerIn(server.current.redis).sweptBy(run)) {
    for (const { coordinator, fate } of all) found.push(`${Buffer.from(coordinator)} ${fate}`);
  }
  return found.sort();
}

describe('who was swept', () => {
  test('stands there before it is told that it went, and can be looked up by its id', async () => {
    const ledger = ledgerIn(server.current.redis);
    const recorder = ledger.record(runOf('7'), unexpected);
    expect(await recorder.begin()).toBe(true);
    await recorder.removing([going('c1', 's1'), going('c1', 's2'), going('c10', null, null), going('c2')]);
    const find = async (id: string) => (await ledger.find(Buffer.from(id), { limit: 9 })).swept;
    expect((await find('c1')).map(({ fate }) => fate)).toEqual(['unknown', 'unknown']);
    recorder.removed([gone('c1', 's2'), gone('c10'), gone('c3')]);
    await recorder.end({ outcome: 'completed', report: reportOf('7', 'default', 3) });
    const [once, ...more] = await find('c1');
    expect(more).toEqual([]);
    expect(once).toMatchObject({
      fate: 'swept',
      swarm: Uint8Array.from(Buffer.from('s2')),
      beatMs: 1_760_000_000_123,
      silenceSeconds: 700,
      keysByFamily: [1, 1, 2, 0, 1, 0],
      batch: { run: '7', target: 'default', trigger: 'manual', by: 'somebody', families: FAMILIES },
    });
    expect((await find('c10'))[0]).toMatchObject({ fate: 'swept', swarm: null, beatMs: null });
    // Nobody announced it; and c2 was kept.
    expect(await find('c3')).toHaveLength(1);
    expect(await find('c2')).toEqual([]);
    expect(await find('c')).toEqual([]);
  });

  test('comes with each run that swept it, the newest first, of one target or all', async () => {
    const ledger = ledgerIn(server.current.redis);
    for (const [run, target] of [
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'a'],
    ] as const) {
      const recorder = ledger.record(runOf(run, target), unexpected);
      await recorder.begin();
      await recorder.removing([going('c1'), going(`only-${run}`)]);
      recorder.removed([gone('c1'), gone(`only-${run}`)]);
      await recorder.end({ outcome: 'completed' });
    }
    const runs = async (id: string, target?: string) => {
      const { swept } = await ledger.find(Buffer.from(id), { limit: 9, ...(target === undefined ? {} : { target }) });
      return swept.map(({ batch }) => batch.run);
    };
    expect(await runs('c1')).toEqual(['3', '2', '1']);
    expect(await runs('c1', 'a')).toEqual(['3', '1']);
    expect(await runs('only-2')).toEqual(['2']);
    expect((await ledger.find(Buffer.from('c1'), { limit: 1 })).swept).toHaveLength(1);
  });

  test('is nobody less or more when batches are announced far ahead, out of order, and partly', async () => {
    const ids = Array.from({ length: 5 * MOST_ROWS + 77 }, (_, i) => `coordinator-${i}`);
    const went = ids.filter((_, i) => i % 5 !== 0);
    const ledger = ledgerIn(server.current.redis);
    const recorder = ledger.record(runOf('1'), unexpected);
    await recorder.begin();
    for (let from = 0; from < ids.length; from += 3_000) {
      await recorder.removing(ids.slice(from, from + 3_000).map((id) => going(id)));
    }
    for (const id of went.toReversed()) recorder.removed([gone(id)]);
    await recorder.end({ outcome: 'completed', report: reportOf('1', 'default', went.length) });
    const [run] = (await ledger.history({ limit: 1 })).runs;
    const found = await sweptIn(run ?? { target: '', run: '', startedAtMs: 0 });
    expect(found.filter((line) => line.endsWith(' swept'))).toEqual(went.map((id) => `${id} swept`).sort());
    expect(found.filter((line) => line.endsWith(' unknown'))).toEqual([]);
  });

  test.each<[string, (n: number) => Going, number]>([
    ['coordinator-N', (n) => going(`coordinator-${n}`), 12],
    ['coordinator-N in swarms of 20', (n) => going(`coordinator-${n}`, `swarm-${Math.floor(n / 20)}`), 14],
    ['test-swarm-N:coordinator-N', (n) => going(`test-swarm-${Math.floor(n / 20)}:coordinator-${n}`), 16],
    ['uuids', () => going(randomUUID()), 32],
  ])('takes little room, all keys together: %s', async (_, idOf, mostEach) => {
    const COUNT = 20_000;
    const recorder = ledgerIn(server.current.redis).record(runOf('1'), unexpected);
    await recorder.begin();
    // Out of a million, without order, as SCAN finds them.
    const all = Array.from({ length: COUNT }, (__, i) => idOf(((i * 7_919 + 13) % COUNT) * 50 + (i % 50)));
    for (let from = 0; from < COUNT; from += 2_000) {
      const part = all
        .slice(from, from + 2_000)
        .map((one, i) => ({ ...one, beatMs: 1_760_000_000_000 - 997 * i * (i % 89) }));
      await recorder.removing(part);
      recorder.removed(part.map((one, i) => ({ ...one, keysByFamily: [1, 1, 2, i % 7 === 0 ? 2 : 1, 1, 0] })));
    }
    await recorder.end({ outcome: 'completed' });
    const { redis } = server.current;
    let taken = 0;
    for (const key of await redis.keys('*')) taken += Number(await redis.memory('USAGE', key, 'SAMPLES', 0));
    expect(taken / COUNT).toBeLessThan(mostEach);
  });

  test('has the names of its keys where these are to be kept', async () => {
    const ledger = ledgerIn(server.current.redis);
    for (const withNames of [true, false]) {
      const recorder = ledger.record({ ...runOf(String(withNames)), withNames }, unexpected);
      await recorder.begin();
      const names = [Buffer.from('blocking:signal:c1'), Buffer.from([255, 0, 10])];
      await recorder.removing([{ ...going('c1'), names }]);
      recorder.removed([{ ...gone('c1'), names }]);
      await recorder.end({ outcome: 'completed' });
      const { swept } = await ledger.find(Buffer.from('c1'), { limit: 1 });
      expect(swept[0]?.names?.map(hex) ?? null).toEqual(withNames ? names.map(hex) : null);
    }
  });

  test.each([
    ['completed', ['swept']],
    ['stopped', ['swept']],
    ['failed', ['swept', 'unknown', 'unknown']],
    ['interrupted', ['swept', 'unknown', 'unknown']],
    ['suspended', ['swept', 'unknown', 'unknown']],
  ] as const)('is everybody of whom something may have gone: of a run that %s %j', async (outcome, fates) => {
    const ledger = ledgerIn(server.current.redis);
    const recorder = ledger.record(runOf('1'), unexpected);
    await recorder.begin();
    for (const ids of [['c1', 'c2'], ['c3']]) await recorder.removing(ids.map((id) => going(id)));
    recorder.removed([gone('c1')]);
    await (outcome === 'suspended' ? recorder.suspend('because') : recorder.end({ outcome }));
    const { swept } = await ledger.find(['c1', 'c2', 'c3'].map(Buffer.from), { limit: 9 });
    expect(swept.map(({ fate }) => fate).sort()).toEqual(fates);
  });

  test('is found among many batches by few calls, the last times of it without reading the earlier ones', async () => {
    const { redis } = server.current;
    const writer = ledgerIn(redis);
    const often = 60;
    for (let nth = 0; nth < often; nth++) {
      const recorder = writer.record(runOf(`r${nth}`, nth % 2 === 0 ? 'default' : 'other'), unexpected);
      await recorder.begin();
      const some = Array.from({ length: 1 + (nth % 20) }, (_, i) => `c${nth}-${i}`);
      await recorder.removing([...some, 'often'].map((id) => going(id)));
      await recorder.end({ outcome: 'failed' });
    }
    const look = async (id: string, query: { limit: number; target?: string }, ledger = ledgerIn(redis)) => {
      await redis.config('RESETSTAT');
      const { swept } = await ledger.find(Buffer.from(id), query);
      const stats = await redis.info('commandstats');
      const [get, asked] = ['get', 'evalsha'].map((name) =>
        Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
      );
      return { runs: swept.map(({ batch }) => batch.run), get, asked };
    };
    const newest = Array.from({ length: 10 }, (_, i) => `r${often - 1 - i}`);
    const last = await look('often', { limit: 10 });
    expect(last).toMatchObject({ runs: newest, asked: 1 });
    // Eight at a time.
    expect(last.get).toBeLessThanOrEqual(16);
    expect((await look('often', { limit: 1_000, target: 'other' })).runs).toHaveLength(often / 2);
    const way = redis.duplicate({ lazyConnect: true, enableOfflineQueue: false, connectionName: 'fixture' });
    onTestFinished(() => way.disconnect());
    const kept = ledgerIn(way);
    // What could not be heard while there was no way is heard once there is one.
    await expect(kept.prepareToFind()).rejects.toThrow();
    await once(way, 'ready');
    await kept.prepareToFind();
    for (let nth = 0; nth < often; nth += 7) {
      const found = await look(`c${nth}-${nth % 20}`, { limit: 10 }, kept);
      expect(found).toMatchObject({ runs: [`r${nth}`], asked: 0 });
      expect(found.get).toBeLessThanOrEqual(3);
    }
    const nobody = await look('nobody', { limit: 10 });
    expect(nobody).toMatchObject({ runs: [], asked: 1 });
    expect(nobody.get).toBeLessThanOrEqual(2);
  });

  test('is found alike by whoever asked before and whoever asks first, whatever was written, late or again, and went meanwhile', async () => {
    const { redis } = server.current;
    let nth = 0;
    const step = fc.record({
      batch: fc.nat(30),
      /** Far beyond what is taken for late. */
      laterMs: fc.oneof(fc.nat(5), fc.integer({ min: -100_000, max: 100_000 })),
      ids: fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 4 }),
      asks: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        await redis.flushall();
        const bounds = { sizeBytes: 16_000, ageMs: 1e15 };
        const blocks = new Blocks(redis, '{stalesweep}', bounds);
        const asked = new Ledger(redis, '{stalesweep}', bounds);
        const room = new BatchRoom();
        let atMs = 1_760_000_000_000;
        const idsOf = new Map<number, readonly number[]>();
        for (const { batch: number, laterMs, ids, asks } of steps) {
          atMs += laterMs;
          // Who stands in a batch never changes.
          const whose = idsOf.get(number) ?? ids;
          idsOf.set(number, whose);
          const batch = new Batch(room, 0);
          for (const id of whose) {
            room.take(going(`c${id}`));
            batch.add(going(`c${id}`));
          }
          await batch.close();
          const bytes = await batch.encode({ ...META, run: `${nth++}`, atMs });
          await blocks.write(batchName('swept/default/1.r/', 0, number), bytes, { atMs });
          if (!asks) continue;
          const first = new Ledger(redis, '{stalesweep}', bounds);
          for (const id of ['c0', 'c7', 'c19']) {
            expect(await asked.find(Buffer.from(id), { limit: 100 })).toEqual(
              await first.find(Buffer.from(id), { limit: 100 }),
            );
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  test('is found by what a killed run had written, however many it was about to sweep at once', async () => {
    const ledger = ledgerIn(server.current.redis);
    const recorder = ledger.record(runOf('1'), unexpected);
    await recorder.begin();
    const ids = Array.from({ length: 60_000 }, (_, i) => `coordinator-${i}`);
    for (let from = 0; from < ids.length; from += 2_000) {
      await recorder.removing(ids.slice(from, from + 2_000).map((id) => going(id)));
    }
    // Nothing is written any more.
    recorder.leave();
    const some = Array.from({ length: 20 }, () => Math.floor(Math.random() * ids.length));
    for (const at of [0, ids.length - 1, ...some]) {
      const { swept } = await ledger.find(Buffer.from(ids[at] as string), { limit: 9 });
      expect(
        swept.map(({ fate }) => fate),
        ids[at],
      ).toEqual(['unknown']);
    }
  });

  test('is looked for in what is whole, and what is damaged is told', async () => {
    const ledger = ledgerIn(server.current.redis);
    const recorder = ledger.record(runOf('1'), unexpected);
    await recorder.begin();
    await recorder.removing([going('c1')]);
    await recorder.end({ outcome: 'completed' });
    const [key = ''] = await server.current.redis.keys('*:swept/*');
    await server.current.redis.setrange(key, 100, 'damage');
    expect(await ledger.find(Buffer.from('c1'), { limit: 1 })).toEqual({ swept: [], damaged: 1 });
  });
});

test('tells until when what was swept can be restored', async () => {
  const ledger = ledgerIn(server.current.redis);
  for (const trashMs of [3_600_000, undefined]) {
    const run = { ...runOf(String(trashMs)), ...(trashMs === undefined ? {} : { trashMs }) };
    const recorder = ledger.record(run, unexpected);
    await recorder.begin();
    await recorder.removing([going('c1')]);
    recorder.removed([gone('c1')]);
    await recorder.end({ outcome: 'completed' });
    const { swept } = await ledger.find(Buffer.from('c1'), { limit: 1 });
    const [once] = swept;
    if (once === undefined) throw new Error('it was swept');
    expect(restorableUntilMs(once.batch)).toBe(trashMs === undefined ? null : once.batch.atMs + trashMs);
    const { runs } = await ledger.history({ limit: 1 });
    expect(runs[0]?.trashMs).toBe(trashMs);
  }
});
