import type { Outcome } from '../../src/domain/report.ts';
import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { pastOf } from '../../src/ledger/targets/past.ts';
import { chainName, instantOf } from '../../src/ledger/runs/names.ts';
import { PAGE_HEAD_BYTES, writePage } from '../../src/ledger/runs/page.ts';
import { seal, unseal, VERSION_BYTES } from '../../src/ledger/sealed.ts';
import { RUN_OUTCOMES, type PastRun } from '../../src/ledger/runs/pastRun.ts';
import { endRun } from '../../src/ledger/runs/endRun.ts';
import { readHistory } from '../../src/ledger/runs/history.ts';
import { KeptPages } from '../../src/ledger/runs/keptPages.ts';
import type { HistoryQuery } from '../../src/ledger/runs/query.ts';
import { useRedis } from '../support/leaks.ts';
import { blocksIn, ledgerIn, reportOf } from './story.ts';

const server = useRedis();

function past(run: string, target: string, outcome: Outcome, swept: number): PastRun {
  return {
    run,
    target,
    fingerprint: 'abcdef',
    trigger: 'manual',
    by: null,
    dryRun: false,
    state: 'ended',
    outcome,
    startedAtMs: 1,
    atMs: 1,
    attempts: 1,
    reason: null,
    removed: { swept, deleted: 6 * swept },
    report: outcome === 'completed' ? reportOf(run, target, swept) : null,
  };
}

/** Page by page, until there are no more. */
async function readAll(query: HistoryQuery, kept = new KeptPages()): Promise<PastRun[]> {
  const runs: PastRun[] = [];
  let cursor: string | null = null;
  do {
    const page = await readHistory(blocksIn(server.current.redis), kept, { ...query, cursor });
    expect(page.damaged).toBe(0);
    if (page.cursor !== null) expect(page.runs.length).toBe(query.limit);
    runs.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== null);
  return runs;
}

const tale = fc.array(
  fc.record({
    target: fc.constantFrom('a', 'b', 'a.b'),
    outcome: fc.constantFrom(...RUN_OUTCOMES, 'completed' as const, 'completed' as const),
    swept: fc.constantFrom(0, 0, 7),
  }),
  { minLength: 1, maxLength: 300 },
);

const query = fc.record(
  {
    target: fc.constantFrom('a', 'b', 'a.b', 'nobody'),
    outcome: fc.constantFrom(...RUN_OUTCOMES),
    removed: fc.boolean(),
    limit: fc.integer({ min: 1, max: 40 }),
  },
  { requiredKeys: ['limit'] },
);

describe('history', () => {
  test('is what a plain list of all runs would be, newest first, whatever is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(tale, fc.array(query, { minLength: 4, maxLength: 4 }), async (runs, queries) => {
        await server.current.redis.flushall();
        const blocks = blocksIn(server.current.redis);
        const ended: PastRun[] = [];
        for (const { target } of runs) await blocks.addTarget(target);
        for (const [i, { target, outcome, swept }] of runs.entries()) {
          ended.push(await endRun(blocks, past(String(i), target, outcome, swept)));
        }
        for (const asked of queries) {
          const expected = ended
            .filter((run) => asked.target === undefined || run.target === asked.target)
            .filter((run) => asked.outcome === undefined || run.outcome === asked.outcome)
            .filter((run) => asked.removed === undefined || run.removed.swept > 0 === asked.removed)
            .map(({ target, run, atMs }) => ({ target, run, atMs }))
            .sort((a, b) => b.atMs - a.atMs || (`${a.target}/${a.run}` < `${b.target}/${b.run}` ? 1 : -1));
          const read = await readAll(asked);
          expect(read.map(({ target, run, atMs }) => ({ target, run, atMs }))).toEqual(expected);
          for (const run of read) expect(run).toEqual(ended[Number(run.run)]);
        }
      }),
      { numRuns: 6 },
    );
  }, 120_000);

  test('is the same to whoever keeps pages, as many as fit, while runs end', async () => {
    const blocks = blocksIn(server.current.redis);
    for (const target of ['a', 'b']) await blocks.addTarget(target);
    // All of them, a few, none.
    const keepers = [10 ** 7, 60_000, 1].map((bytes) => new KeptPages(bytes));
    for (let i = 0; i < 260; i++) {
      await endRun(blocks, past(String(i), i % 3 === 0 ? 'a' : 'b', 'completed', 0));
      if (i % 20 !== 0 && i < 255) continue;
      const newest = await readAll({ limit: 37 });
      expect(newest).toHaveLength(i + 1);
      for (const kept of keepers) expect(await readAll({ limit: 37 }, kept)).toEqual(newest);
    }
  });

  test('has everybody once when several end runs of one target at the same moment', async () => {
    const blocks = [1, 2, 3, 4].map(() => blocksIn(server.current.redis));
    await blocks[0]?.addTarget('a');
    await Promise.all(
      blocks.map(async (one, writer) => {
        for (let i = 0; i < 60; i++) await endRun(one, past(`${writer}-${i}`, 'a', 'completed', 0));
      }),
    );
    const read = await readAll({ limit: 17 });
    expect(new Set(read.map(({ run }) => run)).size).toBe(240);
    expect(read.length).toBe(240);
    expect(read.map(({ atMs }) => atMs)).toEqual(read.map(({ atMs }) => atMs).sort((a, b) => b - a));
  });

  test('has a run once, however often its end is told', async () => {
    const blocks = blocksIn(server.current.redis);
    await blocks.addTarget('a');
    for (let i = 0; i < 3; i++) await endRun(blocks, past('1', 'a', 'failed', 3));
    expect(await readAll({ limit: 5 })).toHaveLength(1);
  });

  test('finds a run by its id', async () => {
    const blocks = blocksIn(server.current.redis);
    await blocks.addTarget('a');
    for (let i = 0; i < 250; i++) await endRun(blocks, past(String(i), 'a', 'completed', i % 2));
    expect((await readAll({ limit: 3, run: '17' })).map(({ run }) => run)).toEqual(['17']);
  });

  test('finds any run by its id alone at the first call, however far back, also in pages of older versions', async () => {
    const blocks = blocksIn(server.current.redis);
    await blocks.addTarget('a');
    const ids = Array.from({ length: 700 }, () =>
      Math.random() < 0.5 ? randomUUID() : randomBytes(4).toString('latin1'),
    );
    const lines = ids.map((id, i) =>
      JSON.stringify({ ...past(id, 'a', 'completed', 1), by: '"run":"x"', atMs: 1_000 + i }),
    );
    // As many pages as there are runs: more than a page of history looks into.
    for (const [i, line] of lines.entries()) {
      const page = await writePage([line]);
      const old = seal([unseal(page).subarray(PAGE_HEAD_BYTES - VERSION_BYTES)]);
      const name = `${chainName('a', 'completed+')}${instantOf(1_000 + i)}`;
      await blocks.write(name, i % 10 === 0 ? old : page, { atMs: 1_000 + i });
    }
    const unbounded = blocksIn(server.current.redis, { ageMs: Number.MAX_SAFE_INTEGER });
    for (const at of [0, 1, 350, 355, 699]) {
      const { runs } = await readHistory(unbounded, new KeptPages(), { limit: 1, run: ids[at] ?? '' });
      expect(runs.map(({ atMs }) => atMs)).toEqual([1_000 + at]);
    }
    expect(await readHistory(unbounded, new KeptPages(), { limit: 1, run: 'x' })).toEqual({
      runs: [],
      cursor: null,
      damaged: 0,
    });
    // Whoever has no time is told where to go on, also where nothing is found, and misses none.
    for (const [trigger, all] of [
      ['manual', ids.toReversed()],
      ['cli', []],
    ] as const) {
      const kept = new KeptPages();
      const found: string[] = [];
      let cursor: string | null = null;
      let calls = 0;
      do {
        const page = await readHistory(unbounded, kept, { limit: 700, trigger, mostMs: 0, cursor });
        found.push(...page.runs.map(({ run }) => run));
        cursor = page.cursor;
        calls++;
      } while (cursor !== null);
      expect(found).toEqual(all);
      expect(calls).toBeGreaterThan(10);
    }
  });

  test('ends at the age, though pages that are partly older are still there', async () => {
    const blocks = blocksIn(server.current.redis);
    await blocks.addTarget('a');
    let last = 0;
    for (let i = 0; i < 5; i++) last = (await endRun(blocks, past(String(i), 'a', 'completed', 0))).atMs;
    // Each has an instant of its own, so those that end at once end a little later.
    await vi.waitFor(async () => expect(await blocks.nowMs()).toBeGreaterThan(last), { interval: 1 });
    const { runs } = await readHistory(blocksIn(server.current.redis, { ageMs: 0 }), new KeptPages(), { limit: 5 });
    expect(runs).toEqual([]);
  });

  test('leaves out what is damaged and says so, and goes on writing', async () => {
    const { redis } = server.current;
    const blocks = blocksIn(redis);
    await blocks.addTarget('a');
    for (let i = 0; i < 3; i++) await endRun(blocks, past(String(i), 'a', 'completed', 0));
    const [[page] = []] = await blocks.last([{ from: chainName('a', 'completed') }], 1);
    const key = blocks.keyOf(page?.name ?? '');
    const whole = (await redis.getBuffer(key)) ?? Buffer.alloc(0);
    const flipped = Buffer.from(whole);
    flipped[whole.length - 3] = (flipped[whole.length - 3] as number) ^ 1;
    for (const damaged of [flipped, whole.subarray(0, 20), whole.subarray(0, 3), randomBytes(100), Buffer.alloc(0)]) {
      await redis.set(key, damaged);
      expect(await readHistory(blocks, new KeptPages(), { limit: 5 })).toEqual({ runs: [], cursor: null, damaged: 1 });
    }
    await endRun(blocks, past('4', 'a', 'completed', 0));
    const { runs, damaged } = await readHistory(blocks, new KeptPages(), { limit: 5 });
    expect([runs.map(({ run }) => run), damaged]).toEqual([['4'], 1]);
  });
});

test('of two deployments that call different targets alike, each goes by what its own last run left (P12)', async () => {
  const { redis } = server.current;
  for (const [i, fingerprint] of ['one', 'other', 'other'].entries()) {
    const run = { ...past(String(i), 'default', 'completed', 1), fingerprint };
    const report = run.report && { ...run.report, coordinators: { ...run.report.coordinators, active: 100 + i } };
    await endRun(blocksIn(redis), { ...run, report });
  }
  const ledger = ledgerIn(redis);
  expect(await pastOf(ledger, 'default', 'one')).toEqual({ active: 100, heldSinceAt: null });
  expect(await pastOf(ledger, 'default', 'other')).toEqual({ active: 102, heldSinceAt: null });
  // Without one of its own, what was meant by that name before.
  expect(await pastOf(ledger, 'default', 'third')).toEqual({ active: 102, heldSinceAt: null });
});

describe('a target that was changed goes by what the last run left before (P12):', () => {
  const [place, elsewhere, schema, otherSchema] = ['0123456789ab', 'ba9876543210', '-00000001', '-00000002'];
  let count = 0;
  const leave = async (target: string, fingerprint: string, active: number, more: Partial<PastRun> = {}) => {
    const run = { ...past(`changed-${++count}`, target, 'completed', 1), fingerprint, ...more };
    const report = run.report && { ...run.report, coordinators: { ...run.report.coordinators, active } };
    const blocks = blocksIn(server.current.redis);
    await blocks.addTarget(target);
    await endRun(blocks, { ...run, report });
  };
  const activeBefore = async (target: string, fingerprint: string) =>
    (await pastOf(ledgerIn(server.current.redis), target, fingerprint))?.active ?? null;

  test.each([
    ['its schema', 'main', `${place}${otherSchema}`],
    ['its address', 'main', `${elsewhere}${schema}`],
    ['its address and schema', 'main', `${elsewhere}${otherSchema}`],
    ['its name', 'renamed', `${place}${schema}`],
  ])('%s', async (_, name, fingerprint) => {
    await leave('main', `${place}${schema}`, 1_000);
    await leave('another', `${elsewhere}-00000009`, 1);
    expect(await activeBefore(name, fingerprint)).toBe(1_000);
    await leave(name, fingerprint, 30);
    expect(await activeBefore(name, fingerprint)).toBe(30);
  });

  test('one of that name at the same address before one from elsewhere; another name elsewhere is no past', async () => {
    await leave('main', `${place}${schema}`, 1_000);
    await leave('main', `${elsewhere}${schema}`, 7);
    expect(await activeBefore('main', `${place}${otherSchema}`)).toBe(1_000);
    expect(await activeBefore('new', `cccccccccccc${schema}`)).toBeNull();
    expect(await activeBefore('new', `${place}${otherSchema}`)).toBeNull();
  });

  test('its name, with that of another: each goes by what stands at its place, not by what had its name', async () => {
    const [one, other] = [`${place}${schema}`, `${elsewhere}${schema}`];
    await leave('main', one, 1_000);
    await leave('spare', other, 400);
    expect(await activeBefore('main', other)).toBe(400);
    expect(await activeBefore('spare', one)).toBe(1_000);
  });

  test('its mode: what it saw while it was to observe counts, a dry run that somebody asked for does not', async () => {
    await leave('main', `${place}${schema}`, 1_000, { dryRun: true, trigger: 'schedule' });
    await leave('main', `${place}${schema}`, 5, { dryRun: true, trigger: 'cli' });
    expect(await activeBefore('main', `${place}${schema}`)).toBe(1_000);
  });

  test('nothing, but the queue was emptied since the same process asked', async () => {
    const { redis } = server.current;
    await leave('main', `${place}${schema}`, 1_000);
    const asking = ledgerIn(redis);
    expect(await pastOf(asking, 'main', `${place}${schema}`)).toMatchObject({ active: 1_000 });
    await redis.flushall();
    expect(await pastOf(asking, 'main', `${place}${schema}`)).toMatchObject({ active: 1_000 });
    expect(await activeBefore('main', `${place}${schema}`)).toBeNull();
  });
});
