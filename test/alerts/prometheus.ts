/** prometheus: a real Prometheus that scrapes one dashboard and judges by the rules in docs/monitoring, in a quicker time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import getPort from 'get-port';
import { expect, type TestContext } from 'vitest';
import { stringify } from 'yaml';
import { folder } from '../support/files.ts';
import { shortenedRules } from './shorten.ts';

/** Of the dashboard. */
export const USER = 'admin';
export const PASSWORD = 'pass:word';
/** As in docs/monitoring/prometheus.yml, and Prometheus' own default. */
const SCRAPE_MS = 15_000;
const LOOKBACK_MS = 300_000;
/** A dashboard on a busy machine takes so long to answer. */
const LEAST_SCRAPE_MS = 1_000;
const LEAST_LOOKBACK_MS = 5_000;
const PATIENCE = { timeout: 400_000, interval: 200 };

export interface Watching {
  /** Resolves once no alert fires. */
  isQuiet(): Promise<void>;
  /** Resolves once this alert fires. */
  fires(alert: string): Promise<void>;
  /** Resolves once it fires no more. */
  resolves(alert: string): Promise<void>;
  /** Whether it scrapes with the right password from now on. */
  knowsPassword(right: boolean): Promise<void>;
}

/** Starts it; it ends with the test. Resolves once it answers. */
export async function watchWith(
  dashboardPort: number,
  factor: number,
  finished: TestContext['onTestFinished'],
): Promise<Watching> {
  const own = await folder(finished);
  const port = await getPort({ host: '127.0.0.1' });
  const every = `${Math.max(LEAST_SCRAPE_MS, Math.round(SCRAPE_MS / factor))}ms`;
  const password = join(own, 'password');
  await writeFile(password, PASSWORD);
  await writeFile(join(own, 'alerts.yml'), shortenedRules(factor));
  const scrape = {
    job_name: 'stalesweep',
    basic_auth: { username: USER, password_file: password },
    static_configs: [{ targets: [`127.0.0.1:${dashboardPort}`] }],
  };
  await writeFile(
    join(own, 'prometheus.yml'),
    stringify({
      global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
      rule_files: ['alerts.yml'],
      scrape_configs: [scrape],
    }),
  );
  const options = {
    'config.file': join(own, 'prometheus.yml'),
    'storage.tsdb.path': join(own, 'data'),
    'web.listen-address': `127.0.0.1:${port}`,
    'query.lookback-delta': `${Math.max(LEAST_LOOKBACK_MS, Math.round(LOOKBACK_MS / factor))}ms`,
    'log.level': 'error',
  };
  const prometheus = spawn(
    'prometheus',
    Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = once(prometheus, 'close');
  finished(async () => {
    prometheus.kill('SIGKILL');
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  await expect
    .poll(
      async () =>
        await fetch(`${url}/-/ready`).then(
          ({ status }) => status,
          () => 0,
        ),
      PATIENCE,
    )
    .toBe(200);

  /** The alerts that fire now, each as its name and the value of its label `target`, `queue` or `instance`. */
  const firing = async (): Promise<string[]> => {
    const answer = (await (await fetch(`${url}/api/v1/alerts`)).json()) as {
      data: { alerts: { state: string; labels: Record<string, string> }[] };
    };
    return answer.data.alerts
      .filter(({ state }) => state === 'firing')
      .map(({ labels: { alertname, target, queue, instance } }) =>
        [alertname, target ?? queue ?? instance].join(' ').trim(),
      );
  };
  const told = (alert: string): unknown => expect.stringMatching(new RegExp(`^${alert}( |$)`));
  return {
    isQuiet: async () => await expect.poll(firing, PATIENCE).toEqual([]),
    fires: async (alert) => await expect.poll(firing, PATIENCE).toContainEqual(told(alert)),
    resolves: async (alert) => await expect.poll(firing, PATIENCE).not.toContainEqual(told(alert)),
    knowsPassword: async (right) => await writeFile(password, right ? PASSWORD : 'another one'),
  };
}
