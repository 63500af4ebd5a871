import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { table } from '../../src/cli/output/table.ts';
import { folder } from '../support/files.ts';
import { among, type Case, behind, easy, everyday, onCluster, other, shortened, tenThousand } from './cases.ts';
import { measureDay } from './day.ts';
import { measureHistory } from './history.ts';
import { describeMachine } from './machine.ts';
import { measureCase } from './measure.ts';
import { aimsTable, feltTable, shortCostTable } from './page/tables.ts';
import { labelOf } from './page/words.ts';
import { FULL_PLAN, GROUPS, planOf } from './plan.ts';
import { type Cost, VERSION } from './results.ts';
import { readResults, writeResults } from './store.ts';
import { costTable, measureUnitCosts } from './unitCosts.ts';

const PATIENCE_MS = 120_000;
/** Not a multiple of a swarm: in the last one, some live and some do not. */
const FEW = 130;
function few(one: Case, foreign = 0): Case {
  const share = one.stale / one.coordinators;
  return shortened({ ...one, coordinators: FEW, stale: Math.round(FEW * share), foreign }, 1, 1, 100);
}

/** What is asked of each program: what it costs, or what others feel of it. */
function once(one: Case, asked: Readonly<Record<string, 'cost' | 'felt' | 'both'>>): Case {
  return {
    ...one,
    contenders: among(one, Object.keys(asked)).contenders.map((contender) => ({
      ...contender,
      costs: asked[contender.id] === 'felt' ? 0 : 1,
      felt: asked[contender.id] === 'cost' ? 0 : 1,
      warmUps: Math.min(contender.warmUps, 1),
    })),
  };
}

/** Every program, schema, kind of data and way once: a trial more takes two servers and a process or two, and shows nothing else. */
const cases: Case[] = [
  once(few(tenThousand('flat')), { 'stalesweep-warm': 'cost', idle: 'felt' }),
  once(few(other('novice-ttl', 'claude-flow-novice', { ttlMs: 86_400_000 })), { floor: 'cost', stalesweep: 'cost' }),
  once(few(easy), { stalesweep: 'both', 'by-hand': 'cost', loop: 'cost', 'one-script': 'cost' }),
  once(few({ ...everyday('everyday', 'flat', null), stale: 5_000 }, 1_000), { 'scan-pass': 'cost' }),
  once(few(behind({ roundTripMs: 0.5, jitter: 0.1 }, 'swarm', 20_000)), { floor: 'cost' }),
  once(few(onCluster(20_000)), { floor: 'cost', 'floor-by-slot': 'cost', stalesweep: 'cost' }),
];

/** A cost whose figures take much room. */
function widest(ms: number, bytes: number): Cost {
  return {
    wallMs: ms,
    cpuMs: ms,
    calls: 1e6,
    slowestCallMs: 999.9,
    overBudget: 1e6,
    rssBytes: bytes,
    awayMs: 9_999,
  };
}

describe('the benchmark', () => {
  test.each(cases.map((plan) => [plan.id, plan] as const))(
    'measures every contender of %s, and each removes exactly what it should',
    async (_, plan) => {
      const measured = await measureCase(plan);
      expect(measured.contenders.map(({ id, failed }) => [id, failed])).toEqual(
        plan.contenders.map(({ id }) => [id, null]),
      );
      for (const [i, { costs, felt }] of plan.contenders.entries()) {
        const result = measured.contenders[i];
        expect([result?.costs.length, result?.felt.length]).toEqual([costs, felt]);
        for (const one of result?.costs ?? []) expect(Math.min(one.wallMs, one.cpuMs, one.calls)).toBeGreaterThan(0);
        for (const one of result?.felt ?? []) expect(one.pings).toBeGreaterThan(0);
      }
      const [out, machine] = [await folder(), describeMachine()];
      const results = { version: VERSION, machine, cases: [measured], history: null } as const;
      await writeResults(out, results);
      expect(await readResults(out)).toEqual(results);
      const page = readFileSync(join(out, 'benchmarks.md'), 'utf8');
      const shown = plan.way === null ? plan.contenders.map(({ id }) => labelOf(id).replaceAll('|', '\\|')) : [];
      for (const label of shown) expect(page).toContain(`\n| ${label} |`);
      const linked = [...page.matchAll(/\]\((benchmarks\/[^)]+)\)/g)].map(([, name]) => name ?? '');
      expect(linked).toContain('benchmarks/results.json');
      for (const name of linked) expect(existsSync(join(out, name)), name).toBe(true);
    },
    PATIENCE_MS,
  );

  test(
    'measures the memory of a real command',
    async () => {
      const command = FULL_PLAN.find(({ id }) => id === 'flat-2000000') as Case;
      const { contenders } = await measureCase(few(command));
      expect(contenders).toMatchObject([{ id: 'command', failed: null }]);
      expect(contenders[0]?.costs[0]?.rssBytes).toBeGreaterThan(30e6);
    },
    PATIENCE_MS,
  );

  test(
    'measures runs and pages with a history and without, and shows them among the aims',
    async () => {
      const history = await measureHistory({ past: 30, coordinators: 100, trials: 2 });
      const { runMs, dashboardMs } = history;
      for (const times of [runMs.with, runMs.without, dashboardMs.first, dashboardMs.queue]) {
        expect(times).toHaveLength(2);
        expect(Math.min(...times)).toBeGreaterThan(0);
      }
      expect(aimsTable([], history).rows.slice(-3)).toEqual([
        ['30 past runs', 'a run / without', expect.stringMatching(/^[\d.]+×$/), '≤ 1.10×', expect.anything()],
        ['30 past runs', 'first page, slowest', expect.stringMatching(/ms$/), '≤ 300 ms', expect.anything()],
        ['30 past runs', 'queue page, slowest', expect.stringMatching(/ms$/), '≤ 300 ms', expect.anything()],
      ]);
    },
    PATIENCE_MS,
  );

  test(
    'measures a day of scheduled runs, and shows it among the aims',
    async () => {
      const plan = { hours: 1, coordinators: 200, foreign: 1_000, deathsPerHour: 4, fullPassOf: 2, every: [5] };
      const day = await measureDay(plan);
      const [{ passes, cpuMs } = { passes: { full: 0, due: 0, none: 0 }, cpuMs: { full: 0, horizon: 0 } }] =
        day.schedules;
      expect(passes.full + passes.due + passes.none).toBe(12);
      expect(Math.min(passes.full, passes.none, cpuMs.full, cpuMs.horizon)).toBeGreaterThan(0);
      expect(aimsTable([], null, day).rows.at(-1)).toEqual([
        'a day, every 5 min',
        'Redis CPU / full passes',
        expect.stringMatching(/^[\d.]+×$/),
        '≤ 0.55×',
        expect.anything(),
      ]);
      const out = await folder();
      const results = { version: VERSION, machine: describeMachine(), cases: [], history: null, day } as const;
      await writeResults(out, results);
      expect(readFileSync(join(out, 'benchmarks.md'), 'utf8')).toContain('of 12 runs looked at everybody');
    },
    PATIENCE_MS,
  );

  test(
    'measures what one key costs that is walked past, judged or removed',
    async () => {
      const costs = await measureUnitCosts({ foreign: 6_000, coordinators: 200, trials: 1 });
      expect(costs).toHaveLength(5);
      const [run, ...keys] = costs;
      expect(Math.min(Number(run?.cpu), Number(run?.sent), Number(run?.peak))).toBeGreaterThan(0);
      // Names of who is nobody's business never come over the wire; of others each does at least once. So many of the former that what asks
      // for pages, which stay small on a busy machine, counts for little.
      const [walked, ...ours] = keys.map(({ sent }) => sent);
      expect(Number(walked)).toBeLessThan(20);
      expect(Math.min(...ours)).toBeGreaterThan(20);
      expect(costTable(costs).rows).toHaveLength(5);
    },
    PATIENCE_MS,
  );

  test.each([
    ['by-hand', 'by-hand left 0 keys of 600; it should have removed 593'],
    ['floor', 'floor left 600 keys of 600; it should have removed 593'],
  ])('finds out when %s did not remove what it should', async (id, sentence) => {
    const plan = shortened(tenThousand('flat', 100), 1, 0, 0);
    const wrong = plan.contenders
      .filter((one) => one.id === id)
      .map((one) => ({ ...one, removes: 'stale' as const, settings: {} }));
    const { contenders } = await measureCase({ ...plan, contenders: wrong });
    expect(contenders[0]?.failed).toBe(sentence);
    expect(contenders[0]?.costs).toHaveLength(0);
  });

  test('prints every case and every aim in 80 columns, whatever is measured', () => {
    const [costs, pinged] = [
      widest(99_999, 2e9),
      { p50Ms: 999.9, p99Ms: 99_999, maxMs: 999.9, pings: 1, refused: 1e5, series: [] },
    ];
    const results = FULL_PLAN.map(({ group: _, contenders, ...sample }) => ({
      ...sample,
      measuredAt: new Date(0).toISOString(),
      commit: null,
      cpu: 'a processor',
      load: 99.9,
      keys: 1,
      contenders: contenders.map(({ id }) => ({
        id,
        costs: /floor|pass|idle/.test(id) ? [widest(999.9, 1e9)] : [costs],
        felt: [pinged],
        failed: null,
      })),
    }));
    const shown = [...results.flatMap((one) => [shortCostTable(one), feltTable(one)]), aimsTable(results, null)];
    for (const { head, rows } of shown) {
      for (const line of table(head, rows).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  test('takes cases by their group and by their name, and says which there are', () => {
    expect(new Set(FULL_PLAN.map(({ id }) => id)).size).toBe(FULL_PLAN.length);
    expect(planOf(undefined)).toEqual({ cases: FULL_PLAN, history: true, day: true, costs: false });
    const { cases, history } = planOf('ways, easy-100000');
    expect(cases.map(({ group }) => group).filter((group) => group !== 'ways')).toEqual(['easy']);
    expect([cases.length > 10, history]).toEqual([true, false]);
    expect(planOf('history')).toEqual({ cases: [], history: true, day: false, costs: false });
    expect(planOf('day')).toEqual({ cases: [], history: false, day: true, costs: false });
    expect(() => planOf('way')).toThrow(`there is no case "way"; use ${GROUPS.join(', ')}, or one of `);
  });
});
