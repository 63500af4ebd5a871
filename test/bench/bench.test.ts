import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder } from '../support/files.ts';
import { shortened, smallCase } from './cases.ts';
import { measureHistory } from './history.ts';
import { describeMachine } from './machine.ts';
import { measureCase } from './measure.ts';
import { aimsTable, labelOf } from './page/tables.ts';
import { readResults, writeResults } from './store.ts';

const PATIENCE_MS = 120_000;

describe('the benchmark', () => {
  test.each(['flat', 'swarm'] as const)(
    'measures every contender on the schema %s and writes page and plots',
    async (schema) => {
      const plan = shortened(smallCase(schema, 500), 1, 1, 100);
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

      const out = await folder();
      const results = { version: 1, machine: describeMachine(), cases: [measured], history: null } as const;
      await writeResults(out, results);
      expect(await readResults(out)).toEqual(results);
      const page = readFileSync(join(out, 'benchmarks.md'), 'utf8');
      for (const { id } of plan.contenders) expect(page).toContain(`\n| ${labelOf(id).replaceAll('|', '\\|')} |`);
      const linked = [...page.matchAll(/\]\((benchmarks\/[^)]+)\)/g)].map(([, name]) => name ?? '');
      expect(linked.toSorted()).toEqual(['benchmarks/pings.svg', 'benchmarks/results.json', 'benchmarks/time.svg']);
      for (const name of linked) expect(existsSync(join(out, name)), name).toBe(true);
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
      const shown = aimsTable([], history).rows.map(([what = '', measured]) => [what.split(' among')[0], measured]);
      expect(shown.slice(-3)).toEqual([
        ['a run', expect.stringMatching(/^\d+\.\d\d×$/)],
        ["the dashboard's first page and its list of queues", expect.stringMatching(/^\d+\.\d ms$/)],
        ['the page of the queue', expect.stringMatching(/^\d+\.\d ms$/)],
      ]);
    },
    PATIENCE_MS,
  );

  test('finds out a contender that did not remove what it should', async () => {
    const plan = shortened(smallCase('flat', 100), 1, 0, 0);
    const wrong = plan.contenders
      .filter(({ id }) => id === 'by-hand')
      .map((one) => ({ ...one, removes: 'stale' as const }));
    const { contenders } = await measureCase({ ...plan, contenders: wrong });
    expect(contenders[0]?.failed).toBe('by-hand left 0 keys of 600; it should have removed 594');
  });
});
