/** house: stalesweep at work as processes, one target, a queue of its own, and a real Prometheus that watches; with a shell beside it in
 * which `stalesweep` and the settings are known, as for whoever is called. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import getPort from 'get-port';
import { expect, type TestContext } from 'vitest';
import { ROOT } from '../docs/kept.ts';
import { environment, type Ended, type Running, start } from '../support/cli.ts';
import { folder } from '../support/files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { beat, heartbeatOf, nowOf, writeAll } from '../support/world.ts';
import { PASSWORD, USER, type Watching, watchWith } from './prometheus.ts';

type Finished = TestContext['onTestFinished'];

const CREDENTIALS = { authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}` };
const LAST_SUCCESS = 'stalesweep_last_success_timestamp_seconds{target="default"}';
/** Whoever starts one of these leaves it running. */
const STAYS = /^(?:\w+=\S+ )*stalesweep (worker|dashboard|start)\b/;

export class House {
  worker: Running | undefined;
  dashboard: Running | undefined;
  private beating: NodeJS.Timeout | undefined;

  private constructor(
    public target: TestRedis,
    readonly env: Readonly<Record<string, string>>,
    readonly prometheus: Watching,
    private readonly factor: number,
    private readonly path: string,
    private readonly finished: Finished,
  ) {
    finished(async () => {
      clearInterval(this.beating);
      await this.target.stop();
    });
  }

  /**
   * Opens one whose dashboard runs; no worker yet.
   * @param settings of all processes
   * @param factor how much quicker than real time the alerts judge
   * @param lacks what the target's user may not, who is then not its administrator
   */
  static async open(
    settings: Readonly<Record<string, string>>,
    factor: number,
    finished: Finished,
    lacks?: string,
  ): Promise<House> {
    const [target, queue] = await Promise.all([startRedis(), startRedis()]);
    finished(async () => await queue.stop());
    if (lacks !== undefined)
      await target.redis.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', lacks);
    const port = await getPort({ host: '127.0.0.1' });
    const env = {
      REDIS_URL: lacks === undefined ? target.url : target.url.replace('//', '//app:secret@'),
      QUEUE_REDIS_URL: queue.url,
      STALESWEEP_PORT: String(port),
      STALESWEEP_DASHBOARD_USER: USER,
      STALESWEEP_DASHBOARD_PASSWORD: PASSWORD,
      STALESWEEP_EVERY: '2s',
      // Beats are written in the past, which no horizon foresees.
      STALESWEEP_HORIZON: 'false',
      STALESWEEP_MIN_STALE_AFTER: '1s',
      ...settings,
    };
    const path = await folder(finished);
    await writeFile(
      join(path, 'stalesweep'),
      `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/dist/src/cli/main.js" "$@"\n`,
    );
    await chmod(join(path, 'stalesweep'), 0o755);
    const house = new House(target, env, await watchWith(port, factor, finished), factor, path, finished);
    await house.openDashboard();
    return house;
  }

  async openDashboard(): Promise<void> {
    this.dashboard = start(['dashboard'], { ...this.env, LOG_LEVEL: 'info' }, undefined, this.finished);
    await this.dashboard.says('dashboard started');
  }

  /** Starts a worker, with other settings than the house's where they are given. */
  async openWorker(settings: Record<string, string> = {}): Promise<void> {
    this.worker = start(['worker'], { ...this.env, LOG_LEVEL: 'info', ...settings }, undefined, this.finished);
    await this.worker.says('worker started');
  }

  /** Writes coordinators `<name>0`, … each with a signal, who beat so long ago. */
  async write(name: string, count: number, silentSeconds: number, unit: 'ms' | 's' = 'ms'): Promise<void> {
    const at = (await nowOf(this.target.redis)) - silentSeconds * 1_000;
    const ids = Array.from({ length: count }, (_, i) => `${name}${i}`);
    const value = unit === 'ms' ? beat(at) : JSON.stringify({ timestamp: Math.floor(at / 1000) });
    await writeAll(
      this.target.redis,
      Object.fromEntries(
        ids.flatMap((id) => [
          [heartbeatOf(id), value],
          [`blocking:signal:${id}`, '1'],
        ]),
      ),
    );
  }

  /** Asks the dashboard, as Bull Board does. */
  async send(method: string, path: string): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.env.STALESWEEP_PORT}${path}`, {
      method,
      headers: { ...CREDENTIALS, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBeLessThan(300);
  }

  /** The value of a metric; `null` when the dashboard does not give it. */
  async metric(name: string): Promise<number | null> {
    const answer = await fetch(`http://127.0.0.1:${this.env.STALESWEEP_PORT}/metrics`, {
      headers: CREDENTIALS,
    });
    const line = (await answer.text()).split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? null : Number(line.split(' ')[1]);
  }

  async stopTarget(): Promise<void> {
    await this.target.stop();
  }

  /** Empty, at the same address. */
  async startTarget(): Promise<void> {
    this.target = await startRedis([], this.target.port);
  }

  /** Resolves once Prometheus has seen so much that a day ago there was something to compare with. */
  async daysPass(): Promise<void> {
    await pause((1.1 * 86_400_000) / this.factor);
  }

  /** Resolves once a run of the target has succeeded. */
  async succeeded(since = 0): Promise<void> {
    await expect
      .poll(async () => await this.metric(LAST_SUCCESS), { timeout: 400_000, interval: 100 })
      .toBeGreaterThan(since);
  }

  /** Resolves once one more has. */
  async succeedsAgain(): Promise<void> {
    await this.succeeded((await this.metric(LAST_SUCCESS)) ?? 0);
  }

  /** From now on these of the coordinators `<name>0`, … beat every second, and no others of them. */
  beat(name: string, from: number, to: number): void {
    clearInterval(this.beating);
    const ids = Array.from({ length: to - from }, (_, i) => `${name}${from + i}`);
    this.beating = setInterval(() => {
      void nowOf(this.target.redis).then(async (now) => {
        await writeAll(this.target.redis, Object.fromEntries(ids.map((id) => [heartbeatOf(id), beat(now)])));
      });
    }, 1_000);
  }

  /** What a line of a page does in a shell. What stays running is left so, and has ended with nothing then. */
  async types(line: string): Promise<Ended> {
    const env = {
      ...environment(this.env),
      ADMIN_URL: this.target.url,
      PATH: `${this.path}:${process.env.PATH}`,
      NO_COLOR: '1',
    };
    // A group of its own, so that nobody who was started there outlives the test.
    const shell = spawn('bash', ['-c', line], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      cwd: this.path,
    });
    let stdout = '';
    let stderr = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = once(shell, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
    this.finished(async () => {
      try {
        process.kill(-Number(shell.pid), 'SIGKILL');
      } catch {
        // It has ended.
      }
      await ended;
    });
    return STAYS.test(line) ? { code: 0, stdout: '', stderr: '' } : await ended;
  }
}
