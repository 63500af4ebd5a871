/** day: what goes to a queue's Redis and to a target in a day: a worker, its schedule, all commands, the pages; and what of it would puzzle
 * an operator, or has lost or doubled something. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Report } from '../../src/domain/report.ts';
import { sentenceOf } from '../../src/domain/failure.ts';
import { command } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';
import type { TestRedis } from '../support/redis.ts';
import { work, type Working } from '../support/worker.ts';
import { foreignIn, heartbeatOf, settle } from '../support/world.ts';

/** What only the inside of a program or a server speaks of. */
const RAW = /NOPERM|no permissions|ACL failure|user_script|traceback|[0-9a-f]{40}\b|ReplyError/i;
const HUNG_MS = 40_000;
const SILENT = 3_600;
const STALE = ['s1', 's2', 's3'];

export interface Servers {
  readonly queue: TestRedis;
  readonly target: TestRedis;
}

export interface Setting {
  readonly queueUrl: string;
  readonly targetUrl: string;
  readonly trash?: string;
  readonly announce?: object;
}

/** How the day began: the sentence with which the worker was refused, or `null`; and all that was wrong with it. */
export interface Told {
  readonly refusal: string | null;
  readonly runs: readonly string[];
  readonly said: readonly string[];
  readonly wrong: readonly string[];
}

const PAGES = '/ /runs /runs?find=s1 /ask?target=default /readyz /metrics /queues/api/queues /?target=default'.split(
  ' ',
);

/** Some who are stale, one of them in time seen no more, and one who lives. */
async function settleWorld({ redis }: TestRedis): Promise<void> {
  for (const id of STALE) await settle(redis, id, SILENT);
  await settle(redis, 'alive', 5);
  await redis.pexpire(heartbeatOf('alive'), 3_600_000);
  await redis.set('blocking:idempotency:s1:alive:done:1', '1');
}

export class Day {
  readonly #wrong: string[] = [];
  readonly #runs: string[] = [];
  readonly #said: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'stalesweep-day-'));
  readonly #env: Record<string, string>;

  constructor(
    private readonly servers: Servers,
    private readonly setting: Setting,
    /** Gives everybody all rights back, for what hangs to come to an end. */
    private readonly relent: () => Promise<unknown>,
  ) {
    const { queueUrl, targetUrl, ...settings } = setting;
    const file = join(this.#folder, 'stalesweep.yaml');
    // JSON is YAML, too.
    writeFileSync(
      file,
      JSON.stringify({
        queue: { url: queueUrl },
        every: '1h',
        notify: { url: 'http://127.0.0.1:9/', secret: 'a-secret-of-enough-length' },
        ledger: { detail: 'keys' },
        targets: { default: { url: targetUrl, ...settings } },
      }),
    );
    this.#env = { STALESWEEP_CONFIG: file };
  }

  #listen(where: string, text: string): void {
    for (const line of text.split('\n')) if (RAW.test(line)) this.#wrong.push(`${where} says: ${line.slice(0, 300)}`);
  }

  async #within<T>(what: string, doing: Promise<T>): Promise<T | null> {
    const late = Symbol('late');
    const timer = new AbortController();
    const first = await Promise.race([doing, pause(HUNG_MS, late, { signal: timer.signal }).catch(() => late)]);
    timer.abort();
    if (first !== late) return first as T;
    this.#wrong.push(`${what} hangs`);
    await this.relent();
    return (await Promise.race([doing, pause(HUNG_MS, null, { ref: false })])) as T | null;
  }

  async #command(...args: readonly string[]) {
    const line = args.join(' ');
    const ended = await this.#within(line, command(args, this.#env));
    if (ended === null) throw new Error(`${line} hangs for good`);
    const { code, stdout, stderr } = ended;
    this.#listen(line, stdout + stderr);
    if (code !== 0) this.#said.push(`${line}: ${code}: ${(stderr || stdout).trim().slice(0, 400)}`);
    if (code === null || code > 1) this.#wrong.push(`${line} ends with ${code}: ${stderr}`);
    // A command that fails says why in a sentence.
    if (code === 1 && stderr.trim() === '' && stdout.trim() === '') this.#wrong.push(`${line} fails without a word`);
    return ended;
  }

  /** A run that is asked for: it does all, and says so, or removes nothing, and says why. */
  async #run(...args: readonly string[]): Promise<Report | null> {
    const { redis } = this.servers.target;
    await settleWorld(this.servers.target);
    const { code, stdout, stderr } = await this.#command(...args);
    const left = await redis.exists(...STALE.map((id) => heartbeatOf(id)));
    const lives = await redis.exists(
      heartbeatOf('alive'),
      'blocking:idempotency:s1:alive:done:1',
      'blocking:signal:alive',
    );
    if (lives !== 3) this.#wrong.push(`${args.join(' ')}: who lives lost something`);
    const report = code === 0 || stdout.startsWith('{') ? (JSON.parse(stdout) as Report) : null;
    this.#runs.push(`${args.join(' ')}: ${report === null ? stderr.trim() : `${report.outcome} ${report.run}`}`);
    if (report === null) {
      if (left !== STALE.length) this.#wrong.push(`${args.join(' ')}: things went, and it says: ${stderr.trim()}`);
    } else if (report.outcome === 'failed' && left === STALE.length && report.keys.deleted === 0) {
      if (!stderr.includes(report.reason ?? '-'))
        this.#wrong.push(`${args.join(' ')} does not say why it failed: ${stdout}`);
    } else if (report.dryRun ? report.coordinators.stale !== STALE.length || left !== STALE.length : left !== 0) {
      this.#wrong.push(`${args.join(' ')}: ${left} left: ${stdout}`);
    }
    return report;
  }

  async #pages(run: string | null): Promise<void> {
    const dashboard = await startDashboard(this.#env, { config: loadConfig({}, this.#env) });
    const ask = async (path: string, init?: RequestInit) => {
      const answer = await this.#within(
        `GET ${path}`,
        dashboard.ask(path, { ...init, signal: AbortSignal.timeout(2 * HUNG_MS) }),
      );
      if (answer === null) return;
      const text = await answer.text();
      this.#listen(path, text);
      if (answer.status >= 400)
        this.#said.push(
          `${path}: ${answer.status}: ${text
            .replaceAll(/<style>.*?<\/style>|<[^>]+>/gs, ' ')
            .replaceAll(/\s+/g, ' ')
            .slice(-400)}`,
        );
      if (answer.status >= 500 && answer.status !== 503)
        this.#wrong.push(`${path}: ${answer.status}: ${text.slice(0, 200)}`);
    };
    for (const path of PAGES) await ask(path);
    if (run !== null) for (const path of [`/runs/${run}`, `/runs/${run}/restore`]) await ask(path);
    const headers = { 'content-type': 'application/json' };
    await ask('/run', { method: 'POST', headers, body: JSON.stringify({ target: 'default', kind: 'dry' }) });
    await ask('/queues/api/queues/cleanup/clean/completed', { method: 'PUT' });
    await this.#within('closing the dashboard', dashboard.close());
  }

  /** @param between what happens once a worker is there */
  async pass(between: () => Promise<unknown> = async () => {}): Promise<Told> {
    const { queue, target } = this.servers;
    await Promise.all([queue.redis.flushall(), target.redis.flushall()]);
    await settleWorld(target);
    const before = await foreignIn(target.redis);
    let worker: Working | null = null;
    let refusal: string | null = null;
    try {
      worker = await this.#within('starting a worker', work(this.#env));
    } catch (error) {
      refusal = sentenceOf(error);
      this.#listen('the worker', refusal);
      if ((await foreignIn(target.redis)) !== before) this.#wrong.push('things went before the worker was refused');
    }
    await between();
    let run: string | null = null;
    if (worker !== null) {
      await this.#firstOfSchedule();
      run = (await this.#run('enqueue', '--wait', '--json'))?.run ?? null;
      await this.#run('enqueue', '--wait', '--json', '--dry-run');
    }
    await this.#run('run', '--yes', '--json');
    const history = await this.#command('history', '--json');
    if (history.code === 0) this.#checkHistory(JSON.parse(history.stdout));
    for (const line of [
      'schedule --json',
      'status --json',
      'explain s1 --json',
      'history',
      'doctor --json',
      'stop',
      'stop 99',
      'enqueue --json',
    ])
      await this.#command(...line.split(' '));
    if (run !== null && this.setting.trash !== undefined) {
      await this.#command('restore', '--run', run, '--json', '--dry-run');
      await this.#command('restore', '--run', run, '--json');
      await this.#command('restore', 's1', '--heartbeats', '--json');
    }
    await this.#pages(run);
    if (worker !== null) {
      await this.#within('closing the worker', worker.close());
      this.#listen('the log', worker.log());
      for (const line of worker.log().split('\n'))
        if (/"level":[4-6]0/.test(line))
          this.#said.push(`log: ${line.replace(/^.*?"hostname":"[^"]*",/, '').slice(0, 400)}`);
    }
    const { code, stdout } = await this.#command('enqueue', '--json');
    if (code === 0) await this.#command('stop', JSON.parse(stdout).run);
    rmSync(this.#folder, { recursive: true });
    return { refusal, runs: this.#runs, said: [...new Set(this.#said)], wrong: [...new Set(this.#wrong)] };
  }

  /** Waits until the first run of the schedule has ended, if it comes to that. */
  async #firstOfSchedule(): Promise<void> {
    const ended = ['completed', 'failed'].map((state) => `{stalesweep}:cleanup:${state}`);
    for (let n = 0; n < 100; n++) {
      if ((await this.servers.queue.redis.exists(...ended)) > 0) return;
      await pause(100);
    }
    this.#wrong.push('no run of the schedule ends');
  }

  /** Each run once, ended, and what it says was removed at most once. */
  #checkHistory(runs: readonly { run: string; state: string; attempts: number; failedReason: string | null }[]): void {
    const ids = runs.map(({ run }) => run);
    if (new Set(ids).size < ids.length) this.#wrong.push(`a run stands twice in the history: ${ids.join(', ')}`);
    for (const { run, state, attempts } of runs)
      if (attempts > 1) this.#wrong.push(`run ${run} took ${attempts} attempts, and is ${state}`);
  }
}

/** The names of all commands that a server has been sent since its counts were last set back, as ACLs name them. */
export async function commandsOf({ redis }: TestRedis): Promise<readonly string[]> {
  const stats = await redis.info('commandstats');
  const names = [...stats.matchAll(/^cmdstat_([^:]+):/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(0);
  return names.sort();
}
