/** trial: one contender, once, on fresh data; and what Redis says it cost. */
import { createHistogram } from 'node:perf_hooks';
import { hrtime } from 'node:process';
import type { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { openSlowWay } from '../support/slowWay.ts';
import { CALL_BUDGET_MS, type Contender, type Way } from './cases.ts';
import type { Dataset, Served } from './dataset.ts';
import { staleKeyCount } from './keys.ts';
import { Program } from './program.ts';
import type { Outcome, Task } from './programs/contend.ts';
import type { Ping, Pings } from './programs/pings.ts';
import { startReplica, withReplica } from './replica.ts';
import type { Cost, Felt } from './results.ts';
import type { Sample } from './sample.ts';
import { STALE_AFTER } from './write.ts';

export interface Setting {
  readonly sample: Sample;
  readonly way: Way | null;
  readonly hasReplica: boolean;
  readonly dataset: Dataset;
  readonly contender: Contender;
  /** The contender's process: a new one, or for a warm contender always the same. */
  readonly program: Program;
}

const POINTS = 240;

function nowMs(): number {
  return Number(hrtime.bigint()) / 1e6;
}

function fieldOf(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1] ?? 0);
}

/** The main thread's alone: what others wait for. */
async function mainThreadMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = fieldOf(info, 'used_cpu_user_main_thread') + fieldOf(info, 'used_cpu_sys_main_thread');
  return seconds * 1000;
}

async function sumOver(nodes: readonly TestRedis[], read: (redis: Redis) => Promise<number>): Promise<number> {
  const each = await Promise.all(nodes.map(async ({ redis }) => await read(redis)));
  return each.reduce((sum, one) => sum + one, 0);
}

async function callsOf(redis: Redis): Promise<number> {
  const info = await redis.info('commandstats');
  const counts = [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  const ours = /^(info|config|slowlog)/;
  return counts.reduce((sum, [, name = '', count]) => sum + (ours.test(name) ? 0 : Number(count)), 0);
}

/** Of the calls that took 0.1 ms or more: how long the slowest took, and how many took more than twice the call budget. */
async function slowCalls(nodes: readonly TestRedis[]): Promise<Pick<Cost, 'slowestCallMs' | 'overBudget'>> {
  const logs = await Promise.all(nodes.map(async ({ redis }) => await redis.call('SLOWLOG', 'GET', '-1')));
  const entries = (logs as [unknown, unknown, number, string[]][][]).flat();
  // Redis 7.0 logs what a script calls beside the script itself. The scripts here spell commands in capitals, clients don't.
  const requests = entries.filter(([, , , [name = '']]) => name !== name.toUpperCase());
  const tookMs = requests.map(([, , micros]) => micros / 1000);
  return {
    slowestCallMs: tookMs.reduce((most, ms) => Math.max(most, ms), 0),
    overBudget: tookMs.filter((ms) => ms > 2 * CALL_BUDGET_MS).length,
  };
}

/** A contender that removes too much or too little, or something else, has not done the work that is compared. */
async function check({ sample, contender }: Setting, { nodes, data }: Served): Promise<void> {
  const { id, removes } = contender;
  const gone = { nothing: 0, stale: staleKeyCount(sample), all: data.keys - sample.foreign }[removes];
  const left = await sumOver(nodes, async (redis) => await redis.dbsize());
  if (left !== data.keys - gone) {
    throw new Error(`${id} left ${left} keys of ${data.keys}; it should have removed ${gone}`);
  }
  const digests = await Promise.all(nodes.map(async ({ redis }) => String(await redis.call('DEBUG', 'DIGEST'))));
  const digest = digests.join();
  const others = data.left.get(removes) ?? digest;
  if (digest !== others) throw new Error(`${id} removed as many keys as others did, but not the same`);
  data.left.set(removes, digest);
}

async function onFreshData<T>(setting: Setting, measure: (server: Served, url: string) => Promise<T>): Promise<T> {
  const { sample, dataset, contender, program, way, hasReplica } = setting;
  const server = await dataset.serve();
  const ledger = await startRedis();
  const [{ port } = { port: 0 }] = server.nodes;
  const replica = hasReplica ? await startReplica(port) : null;
  const far = way === null ? null : await openSlowWay(port, way.roundTripMs, way.roundTripMs * way.jitter);
  try {
    const settings = withReplica(contender.settings, replica);
    const { staleBeatAt } = server.data;
    const url = far?.url ?? server.url;
    const task: Task = { url, ledgerUrl: ledger.url, sample, staleBeatAt, staleAfter: STALE_AFTER, settings };
    await program.ask('prepare', task);
    const measured = await measure(server, url);
    await check(setting, server);
    return measured;
  } finally {
    await Promise.all([far?.close(), replica?.stop(), ledger.stop(), server.stop()]);
  }
}

/** Lets the contender go once, with nobody else on the server: what it takes. */
export async function measureCost(setting: Setting): Promise<Cost> {
  return await onFreshData(setting, async ({ nodes }) => {
    for (const { redis } of nodes) {
      await redis.config('RESETSTAT');
      await redis.call('SLOWLOG', 'RESET');
    }
    const before = await sumOver(nodes, mainThreadMs);
    const { wallMs, rssBytes, awayMs, calls } = await setting.program.ask<Outcome>(
      'go',
      null,
      setting.contender.limitMs,
    );
    const cpuMs = (await sumOver(nodes, mainThreadMs)) - before;
    return {
      wallMs,
      cpuMs,
      rssBytes,
      awayMs,
      calls: calls ?? (await sumOver(nodes, callsOf)),
      ...(await slowCalls(nodes)),
    };
  });
}

/** The slowest ping of each of some equal spans, so that the plot stays small and no peak is lost. */
function thin(pings: readonly Ping[], fromMs: number, toMs: number): [number, number][] {
  const spanMs = (toMs - fromMs) / POINTS;
  const peaks = new Map<number, number>();
  for (const [dueMs, latencyMs] of pings) {
    const span = Math.floor((dueMs - fromMs) / spanMs);
    peaks.set(span, Math.max(peaks.get(span) ?? 0, latencyMs));
  }
  const round = (value: number) => Math.round(value * 1000) / 1000;
  return [...peaks].map(([span, latencyMs]) => [round((span + 0.5) * spanMs), round(latencyMs)]);
}

async function pingWhile(url: string, work: () => Promise<void>) {
  const pinger = new Program('pings');
  try {
    await pinger.ask('start', url);
    const fromMs = nowMs();
    await work();
    const toMs = nowMs();
    return { fromMs, toMs, ...(await pinger.ask<Pings>('stop', { fromMs, toMs })) };
  } finally {
    await pinger.stop();
  }
}

/** Lets the contender go once, with a second client pinging all the while: what that one feels. */
export async function measureFelt(setting: Setting): Promise<Felt> {
  return await onFreshData(setting, async (_, url) => {
    const { fromMs, toMs, pings, refused } = await pingWhile(url, async () => {
      await setting.program.ask<Outcome>('go', null, setting.contender.limitMs);
    });
    const micros = createHistogram();
    for (const [, latencyMs] of pings) micros.record(Math.max(1, Math.round(latencyMs * 1000)));
    return {
      p50Ms: micros.percentile(50) / 1000,
      p99Ms: micros.percentile(99) / 1000,
      maxMs: micros.max / 1000,
      pings: pings.length,
      refused,
      series: thin(pings, fromMs, toMs),
    };
  });
}
