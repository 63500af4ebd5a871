/** kills: a queue whose primary is killed while runs are asked for, begin, go on and end, and what the ledger says of them afterwards. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { openLedger } from '../../src/ledger/openLedger.ts';
import type { PastRun } from '../../src/ledger/runs/pastRun.ts';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { type TestCluster, until } from '../support/clusterServers.ts';
import { command } from '../support/command.ts';
import { populate } from '../support/populate.ts';
import type { TestRedis } from '../support/redis.ts';
import type { Sentinels } from '../support/sentinel.ts';

/** A queue's servers, of which one may be lost. */
export interface Place {
  readonly url: string;
  /** Kills the primary (-9); resolves once another has taken its place. */
  failOver(): Promise<void>;
  /** Starts it again; resolves once it follows the other. */
  comeBack(): Promise<void>;
}

export function ofSentinels(sentinels: Sentinels): Place {
  return {
    url: sentinels.url,
    failOver: async () => await sentinels.failOver(),
    comeBack: async () => await sentinels.comeBack(),
  };
}

/** The primary is the one that serves the queue's keys. */
export function ofCluster(cluster: TestCluster): Place {
  let killed: TestRedis | undefined;
  const serving = async (): Promise<TestRedis | undefined> => {
    for (const node of cluster.nodes) {
      if (node === killed || node.redis.status !== 'ready') continue;
      const slots = (await node.redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      const slot = slotOfText('{stalesweep}');
      const owner = slots.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
      const found = cluster.nodes.find(({ port }) => port === owner);
      if (found !== undefined && found !== killed) return found;
    }
    return undefined;
  };
  const isWhole = async (nodes: readonly TestRedis[]): Promise<void> => {
    for (const { redis } of nodes) {
      await until(async () => String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    }
  };
  return {
    url: cluster.url,
    failOver: async () => {
      const victim = await serving();
      killed = victim;
      await victim?.stop();
      await until(async () => (await serving()) !== undefined);
      await isWhole(cluster.nodes.filter((node) => node !== killed));
    },
    comeBack: async () => {
      if (killed === undefined) return;
      const { port } = killed;
      await cluster.comeBack(killed);
      killed = undefined;
      const back = cluster.nodes.find((node) => node.port === port);
      await until(async () => {
        const info = String(await back?.redis.info('replication'));
        return info.includes('role:slave') && info.includes('master_link_status:up');
      });
      await isWhole(cluster.nodes);
    },
  };
}

const STALE = 900;
const LIVING = 100;
/** A kill comes at any moment between the answer to who asked for the run and its end, and somewhat later. */
const MOST_DELAY_MS = 2_500;

export interface Kills {
  readonly place: Place;
  /** The target's own. */
  readonly target: TestRedis;
  /** That of the workers, which run. */
  readonly env: Record<string, string>;
  readonly count: number;
}

/** Runs that were asked for by hand, those in the ledger, and what is wrong with these. */
export interface Told {
  readonly asked: number;
  readonly runs: number;
  readonly lost: number;
  readonly doubled: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Coordinators that went, and those of them that stand in the ledger. */
  readonly gone: number;
  readonly recorded: number;
}

/** Kills and waits, as often as asked; whoever is dead is swept in between, and who lives stays. */
export async function killOften({ place, target, env, count }: Kills): Promise<Told> {
  const asked: string[] = [];
  for (let kill = 1; kill <= count; kill++) {
    await populate(env, STALE + LIVING, STALE);
    const { code, stdout, stderr } = await command(['enqueue', '--json'], env);
    if (code !== 0) throw new Error(stderr);
    const { run } = JSON.parse(stdout) as { run: string };
    asked.push(run);
    await pause(Math.random() * MOST_DELAY_MS);
    await place.failOver();
    const ended = async () => (await runsIn(env)).filter((one) => one.run === run).map(({ state }) => state);
    await expect.poll(ended, { interval: 250, timeout: 120_000 }).toEqual(['ended']);
    // Whoever joined a run that had begun before the last of them died waits for the next.
    const left = async () => (await target.redis.keys('swarm:*:blocking:heartbeat:*')).length;
    await expect.poll(left, { interval: 250, timeout: 120_000 }).toBe(LIVING);
    if (kill < count) await place.comeBack();
  }
  return await told(env, asked);
}

async function withLedger<T>(
  env: Record<string, string>,
  ask: (past: Awaited<ReturnType<typeof openLedger>>) => Promise<T>,
) {
  const config = loadConfig({}, env);
  const past = await openLedger(config.queue, config.process.ledger);
  try {
    return await ask(past);
  } finally {
    past.close();
  }
}

async function runsIn(env: Record<string, string>): Promise<readonly PastRun[]> {
  return await withLedger(env, async ({ ledger }) => (await ledger.history({ limit: 10_000 })).runs);
}

async function told(env: Record<string, string>, asked: readonly string[]): Promise<Told> {
  const runs = await runsIn(env);
  const outcomes: Record<string, number> = {};
  for (const { outcome, state } of runs) outcomes[outcome ?? state] = (outcomes[outcome ?? state] ?? 0) + 1;
  const ids = runs.map(({ run }) => run);
  const recorded = await withLedger(env, async ({ ledger }) => {
    let sum = 0;
    for (const run of runs) {
      for await (const { rows } of ledger.sweptBy(run)) for (const { fate } of rows) if (fate !== 'kept') sum++;
    }
    return sum;
  });
  return {
    asked: asked.length,
    runs: runs.length,
    lost: asked.filter((run) => !ids.includes(run)).length,
    doubled: ids.length - new Set(ids).size,
    outcomes,
    gone: asked.length * STALE,
    recorded,
  };
}
