import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Metrics } from '../../src/metrics/registry.ts';
import { MADE_BY_PROMETHEUS, METRIC_NAMES, metricsIn, ONLY_IN_WORKERS } from './metrics.ts';
import { ROOT, read, readYaml } from './project.ts';
import { MISSING, promtool, promtoolOf } from './promtool.ts';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const FOLDER = `${ROOT}docs/monitoring`;
const rules = readYaml<{ groups: { rules: Rule[] }[] }>('docs/monitoring/alerts.yml').groups.flatMap(
  (group) => group.rules,
);
const alerts = rules.filter((rule) => rule.alert !== undefined);
const recorded = rules.flatMap(({ record }) => record ?? []);
const cases = readYaml<{ tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[] }>(
  'docs/monitoring/alerts.test.yml',
).tests.flatMap((one) => one.alert_rule_test);
const jobs = readYaml<{
  scrape_configs: { job_name: string; metric_relabel_configs?: { regex: string; action: string }[] }[];
}>('docs/monitoring/prometheus.yml').scrape_configs;

describe('the alert rules', () => {
  test('are valid', async () => {
    expect(await promtool('check', 'rules', `${FOLDER}/alerts.yml`)).toContain(`${rules.length} rules found`);
  });

  test('fire when they should and only then', async () => {
    expect(await promtool('test', 'rules', `${FOLDER}/alerts.test.yml`)).toContain('SUCCESS');
  });

  test.each(alerts.map(({ alert }) => alert ?? ''))('%s is tested both firing and silent', (alert) => {
    const own = cases.filter(({ alertname }) => alertname === alert);
    expect(own.some(({ exp_alerts = [] }) => exp_alerts.length > 0)).toBe(true);
    expect(own.some(({ exp_alerts = [] }) => exp_alerts.length === 0)).toBe(true);
  });

  test.each(rules.map((rule) => [rule.alert ?? rule.record ?? '', rule.expr]))(
    '%s asks only for metrics that exist',
    (_, expr) => {
      const asked = metricsIn(expr);
      expect(asked.length).toBeGreaterThan(0);
      for (const name of asked) expect([...METRIC_NAMES, ...recorded, ...MADE_BY_PROMETHEUS]).toContain(name);
    },
  );

  test.each(alerts)(
    '$alert says how bad it is, and leads to a section that says what to do',
    ({ alert, labels, annotations }) => {
      expect(['warning', 'critical']).toContain(labels?.severity);
      expect(annotations?.summary).toMatch(/\.$/);
      expect(annotations?.runbook_url).toBe(`docs/runbooks/${alert}.md`);
      expect(read(`docs/runbooks/${alert}.md`)).toMatch(
        new RegExp(`^# ${alert}\n\n\\*\\*${labels?.severity}\\*\\*: [^]+\n## Look\n[^]+\n## Mend\n`),
      );
    },
  );
});

describe('the address of the runbooks', () => {
  test('is set in every alert by the command that the page gives, and set anew by another', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stalesweep-runbooks-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(FOLDER, join(folder, 'docs/monitoring'), { recursive: true });
    const [command = ''] = /^sed .*alerts\.yml$/m.exec(read('docs/monitoring.md')) ?? [];
    const base = 'https://git.example.com/stalesweep/blob/main';
    expect(command).toContain(base);
    const file = join(folder, 'docs/monitoring/alerts.yml');
    for (const at of [base, 'https://wiki.example.org/ops']) {
      execFileSync('sh', ['-c', command.replace(base, at)], { cwd: folder });
      const urls = [...(await readFile(file, 'utf8')).matchAll(/runbook_url: (.*)/g)].map(([, url]) => url);
      expect(urls.slice().sort()).toEqual(alerts.map(({ alert }) => `${at}/docs/runbooks/${alert}.md`).sort());
      expect(await promtool('check', 'rules', file)).toContain(`${rules.length} rules found`);
    }
  });
});

describe('prometheus.yml', () => {
  test('is valid', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stalesweep-prometheus-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(FOLDER, folder, { recursive: true });
    // Debian's promtool, 2.42, is older than this one field.
    const file = join(folder, 'prometheus.yml');
    const config = (await readFile(file, 'utf8')).replace(/^( +)username_file: .*/m, '$1username: anyone');
    await writeFile(file, config);
    expect(await promtool('check', 'config', file)).toContain('valid prometheus config file');
  });

  test('counts no run twice: workers give only what the dashboard cannot know', () => {
    const kept = jobs.find((job) => job.job_name === 'stalesweep-worker')?.metric_relabel_configs ?? [];
    expect(kept.map(({ action }) => action)).toEqual(['keep']);
    const pattern = new RegExp(`^(?:${kept[0]?.regex})$`);
    expect(METRIC_NAMES.filter((name) => pattern.test(name))).toEqual(ONLY_IN_WORKERS);
    expect(['process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds'].every((name) => pattern.test(name))).toBe(
      true,
    );
    expect(jobs.find((job) => job.job_name === 'stalesweep')?.metric_relabel_configs).toBeUndefined();
  });
});

test('all that is exposed is named as Prometheus wants it', async () => {
  const metrics = new Metrics();
  metrics.expect('default', ['heartbeat']);
  const exposed = await metrics.registry.metrics();
  expect(exposed).toContain('stalesweep_runs_total{target="default"');
  expect(await promtoolOf(exposed, 'check', 'metrics')).toBe('');
});

describe('promtool', () => {
  test('is told how to be installed where it is missing', async () => {
    vi.stubEnv('PATH', '');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(promtool('--version')).rejects.toThrow(MISSING);
  });
});

describe('metricsIn', () => {
  test.each([
    ['sum by (target, le) (rate(a_bucket{le="10", x=~"b_total|c"}[5m])) / on (t) group_left () d', ['a_bucket', 'd']],
    ['time() - max(e:f:g > 0) > 9e2 unless e:f:g offset 15m', ['e:f:g']],
    ['histogram_quantile(0.95, h) or vector(1)', ['h']],
  ])('finds every metric in %s', (expression, names) => {
    expect(metricsIn(expression)).toEqual(names);
  });
});
