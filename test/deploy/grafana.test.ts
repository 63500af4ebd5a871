import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { METRIC_NAMES, metricsIn } from './metrics.ts';
import { read, readYaml } from './project.ts';
import { promtool } from './promtool.ts';

interface Query {
  readonly datasource: { readonly uid: string };
  readonly expr: string;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly uid: string };
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

const board = JSON.parse(read('docs/monitoring/grafana/dashboards/stalesweep.json')) as {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly Query[] };
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly current: { readonly value: string };
    }[];
  };
};
const expressions = [
  ...board.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ...board.annotations.list.map(({ expr }) => ['Successful runs', expr] as const),
];

describe('the Grafana dashboard', () => {
  test.each([
    ['Run time', 'stalesweep_run_duration_seconds_bucket'],
    ['Stale keys removed per run', 'stalesweep_keys_deleted_total'],
    ['Coordinators by state', 'stalesweep_coordinators_total'],
    ['Redis memory before and after runs', 'stalesweep_redis_used_memory_bytes'],
    ['Queue depth', 'stalesweep_queue_jobs'],
    ['Call durations, p99', 'stalesweep_redis_call_duration_seconds_bucket'],
  ])('shows "%s" from %s', (title, metric) => {
    const panel = board.panels.find((one) => one.title === title);
    expect(panel?.targets.flatMap(({ expr }) => metricsIn(expr))).toContain(metric);
  });

  test.each(expressions)('%s asks only for metrics that exist: %s', (_, expr) => {
    const asked = metricsIn(expr);
    expect(asked.length).toBeGreaterThan(0);
    for (const name of asked) expect(METRIC_NAMES).toContain(name);
  });

  test('asks in PromQL that Prometheus understands', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stalesweep-grafana-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const rules = expressions.map(([, expr], index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$window', '15m'),
    }));
    await writeFile(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(await promtool('check', 'rules', join(folder, 'rules.yml'))).toContain(`${rules.length} rules found`);
  });

  test('uses only variables that it defines', () => {
    const known = board.templating.list.map(({ name }) => name);
    const used = [...JSON.stringify(board).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual([...known].sort());
  });

  test('reads from the data source that is provisioned, and lets another be chosen', () => {
    const { datasources } = readYaml<{ datasources: { uid: string }[] }>(
      'docs/monitoring/grafana/provisioning/datasources/prometheus.yml',
    );
    const chosen = board.templating.list.find(({ type }) => type === 'datasource');
    expect(chosen?.current.value).toBe(datasources[0]?.uid);
    for (const { datasource } of [...board.panels, ...board.annotations.list]) {
      expect(datasource.uid).toBe(`\${${chosen?.name}}`);
    }
  });

  test('explains each panel, gives its unit, and lets none cover another', () => {
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
    const cells = new Set<string>();
    for (const { description, fieldConfig, gridPos } of board.panels) {
      expect(description).toMatch(/\.$/);
      expect(fieldConfig.defaults.unit).not.toBe('');
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells).not.toContain(`${x},${y}`);
          cells.add(`${x},${y}`);
        }
      }
    }
  });
});
