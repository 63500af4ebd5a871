/** unit costs: what one key costs that a run walks past, judges or removes; docs/scaling.md reckons with these figures.
 *
 * Each is the difference between two runs that differ in those keys alone, divided by how many there were: what every run takes,
 * connecting included, cancels out. Runs are processes of their own, as people start them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Redis } from 'ioredis';
import { tellingPeak, toldPeakBytes } from '../support/peakMemory.ts';
import { startRedis } from '../support/redis.ts';
import { mainThreadMs, setAll } from './day.ts';
import { NODE_OPTIONS } from './program.ts';
import { progress } from './say.ts';

const MAIN = createRequire(import.meta.url).resolve('#root/dist/src/cli/main.js');

export interface CostPlan {
  readonly foreign: number;
  readonly coordinators: number;
  readonly trials: number;
}

export const COSTS: CostPlan = { foreign: 400_000, coordinators: 100_000, trials: 3 };

/** What one run took. */
interface Taken {
  /** Of Redis' main thread, in µs. */
  readonly cpu: number;
  readonly received: number;
  readonly sent: number;
  /** The most memory that the worker's process held, in bytes. */
  readonly peak: number;
}

/** What one key takes: CPU of Redis in µs, bytes that Redis receives and sends, memory of the worker in bytes. */
export interface UnitCost extends Taken {
  readonly what: string;
}

const VALUE = 'x'.repeat(64);
function heartbeatOf(n: number): string {
  return `swarm:s${Math.floor(n / 20)}:blocking:heartbeat:coordinator-${n}`;
}
function belongingsOf(n: number): string[] {
  return [
    `blocking:signal:coordinator-${n}`,
    `blocking:ack:coordinator-${n}:agent-1`,
    `blocking:ack:coordinator-${n}:agent-2`,
    `blocking:idempotency:coordinator-${n}:coordinator-${n}:completion:1:1`,
    `swarm:s${Math.floor(n / 20)}:agent:coordinator-${n}:activity`,
  ];
}
/** Keys that each coordinator has. */
export const KEYS_EACH = 6;

function* foreignKeys(count: number): Generator<readonly string[]> {
  for (let n = 0; n < count; n++) yield [`session:${n}`, VALUE];
}

function* heartbeats(count: number, silentMs: number): Generator<readonly string[]> {
  const timestamp = Date.now() - silentMs;
  for (let n = 0; n < count; n++) {
    yield [heartbeatOf(n), JSON.stringify({ coordinatorId: `coordinator-${n}`, timestamp, iteration: 1 })];
  }
}

function* belongings(count: number): Generator<readonly string[]> {
  for (let n = 0; n < count; n++) for (const key of belongingsOf(n)) yield [key, '1'];
}

async function trafficOf(redis: Redis): Promise<{ received: number; sent: number }> {
  const info = await redis.info('stats');
  const field = (name: string) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1] ?? 0);
  return { received: field('total_net_input_bytes'), sent: field('total_net_output_bytes') };
}

async function runOnce(redis: Redis, url: string): Promise<Taken> {
  const folder = mkdtempSync(join(tmpdir(), 'stalesweep-bench-costs-'));
  const peak = join(folder, 'peak');
  try {
    const [cpu, traffic] = [await mainThreadMs(redis), await trafficOf(redis)];
    const env = { PATH: process.env.PATH, REDIS_URL: url, ...tellingPeak(peak) };
    const child = spawn(process.execPath, [...NODE_OPTIONS, MAIN, 'run', '--json', '--no-record'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    if (code !== 0) throw new Error(`stalesweep run ended with exit code ${code}`);
    const [after, then] = [await mainThreadMs(redis), await trafficOf(redis)];
    return {
      cpu: (after - cpu) * 1000,
      received: then.received - traffic.received,
      sent: then.sent - traffic.sent,
      peak: toldPeakBytes(peak),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The trial that took Redis the least: the others met a busier machine. */
function leastOf(trials: readonly Taken[]): Taken {
  return trials.reduce((least, one) => (one.cpu < least.cpu ? one : least), trials[0] as Taken);
}

function per(what: string, more: Taken, less: Taken, keys: number): UnitCost {
  return {
    what,
    cpu: (more.cpu - less.cpu) / keys,
    received: (more.received - less.received) / keys,
    sent: (more.sent - less.sent) / keys,
    peak: (more.peak - less.peak) / keys,
  };
}

/** Measures them. Fails when a run does, or leaves another number of keys than it should. */
export async function measureUnitCosts({ foreign, coordinators, trials }: CostPlan): Promise<UnitCost[]> {
  const server = await startRedis();
  const { redis, url } = server;
  const measure = async (what: string, fill: () => Promise<void>, left: number): Promise<Taken> => {
    const taken: Taken[] = [];
    for (let trial = 1; trial <= trials; trial++) {
      progress(`costs: ${what}, trial ${trial} of ${trials}`);
      await redis.flushall();
      await fill();
      taken.push(await runOnce(redis, url));
      const there = await redis.dbsize();
      if (there !== left) throw new Error(`${what}: ${there} keys are left; there should be ${left}`);
    }
    return leastOf(taken);
  };
  const active = async () => await setAll(redis, heartbeats(coordinators, 1_000));
  const all = coordinators * KEYS_EACH;
  try {
    const empty = await measure('nothing', async () => {}, 0);
    const walked = await measure('foreign keys', async () => await setAll(redis, foreignKeys(foreign)), foreign);
    const judged = await measure('heartbeats of who lives', active, coordinators);
    const held = await measure(
      'all keys of who lives',
      async () => {
        await active();
        await setAll(redis, belongings(coordinators));
      },
      all,
    );
    const removed = await measure(
      'all keys of who is stale',
      async () => {
        await setAll(redis, heartbeats(coordinators, 3_600_000));
        await setAll(redis, belongings(coordinators));
      },
      0,
    );
    return [
      { what: 'a run, by itself', ...empty },
      per('a key that is nobody’s, walked past', walked, empty, foreign),
      per('a heartbeat, walked and judged', judged, empty, coordinators),
      per('another key of who lives, walked', held, judged, all - coordinators),
      per('a key of who is stale, walked and removed', removed, empty, all),
    ];
  } finally {
    await server.stop();
  }
}

/** As a table: head and rows. */
export function costTable(costs: readonly UnitCost[]): { head: string[]; rows: string[][] } {
  return {
    head: ['what', 'Redis CPU', 'received', 'sent', 'worker'],
    rows: costs.map(({ what, cpu, received, sent, peak }, i) => [
      what,
      i === 0 ? `${(cpu / 1000).toFixed(1)} ms` : `${cpu.toFixed(2)} µs`,
      i === 0 ? `${(received / 1000).toFixed(1)} kB` : `${received.toFixed(1)} B`,
      i === 0 ? `${(sent / 1000).toFixed(1)} kB` : `${sent.toFixed(1)} B`,
      i === 0 ? `${(peak / 1e6).toFixed(0)} MB` : `${Math.max(0, peak).toFixed(0)} B`,
    ]),
  };
}
