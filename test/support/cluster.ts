/** cluster: a private Redis Cluster on this machine, and one run against it with hooks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import getPort from 'get-port';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type RunRequest, runCleanup } from '../../src/cleanup/run.ts';
import type { Report } from '../../src/domain/report.ts';
import { Stopwatch } from '../../src/redis/call/stopwatch.ts';
import { openCluster } from '../../src/redis/cluster/open.ts';
import { SLOTS } from '../../src/redis/cluster/slots.ts';
import { Link } from '../../src/redis/target/link.ts';
import { type CleanOptions, HookedCalls, targetOf } from './cleanup.ts';
import { expectNoLeaks } from './leaks.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { beat, everythingOf } from './world.ts';

export interface TestCluster {
  readonly url: string;
  /** The same by encrypted ports, where it has some. */
  readonly tlsUrl: string;
  /** Those that began with slots, then the replicas, one for each in the same order. */
  readonly nodes: readonly TestRedis[];
  /** The fixture's own way to it. */
  readonly redis: Cluster;
  /** Every key there is, sorted; those of nodes that do not answer left out. */
  keys(): Promise<string[]>;
  /** How many keys all primaries hold. */
  size(): Promise<number>;
  flush(): Promise<void>;
  /** Starts a node again that was stopped, at its address, with what it knew of the cluster and without keys. */
  comeBack(node: TestRedis): Promise<void>;
  stop(): Promise<void>;
}

interface Node extends TestRedis {
  readonly bus: number;
  readonly tlsPort: number;
  /** Another one in its place. */
  again(): Promise<Node>;
  /** Removes what it knew. */
  forget(): void;
}

async function startNode({ args = [], tls }: ClusterOptions): Promise<Node> {
  const folder = mkdtempSync(join(tmpdir(), 'stalesweep-node-'));
  const bus = await getPort({ host: '127.0.0.1' });
  const tlsPort = tls === undefined ? 0 : await getPort({ host: '127.0.0.1' });
  const own = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-node-timeout', '1000'];
  const ofTls = [
    '--tls-port',
    `${tlsPort}`,
    '--tls-cluster',
    'yes',
    '--tls-replication',
    'yes',
    '--tls-auth-clients',
    'no',
  ];
  const all = [...own, '--dir', folder, ...(tls === undefined ? [] : [...ofTls, ...tls]), ...args];
  const begin = async (at?: number): Promise<Node> => {
    const node = await startRedis(all, at);
    let stopped: Promise<void> | null = null;
    const stop = async () => {
      stopped ??= node.stop();
      await stopped;
    };
    const forget = () => rmSync(folder, { recursive: true, force: true });
    return { ...node, stop, bus, tlsPort, again: async () => await begin(node.port), forget };
  };
  return await begin();
}

export interface ClusterOptions {
  /** Whether each primary has a replica. */
  readonly replicas?: boolean;
  readonly args?: readonly string[];
  /** The arguments that name a certificate, for encrypted ports beside the others. */
  readonly tls?: readonly string[];
}

const POLL_MS = 20;

/** Resolves once it holds; what throws does not hold. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await pause(POLL_MS);
}

/** Starts so many primaries with equal shares of the slots, and, where asked for, a replica of each. */
export async function startCluster(primaries = 3, options: ClusterOptions = {}): Promise<TestCluster> {
  const count = options.replicas ? 2 * primaries : primaries;
  const nodes = await Promise.all(Array.from({ length: count }, async () => await startNode(options)));
  const first = nodes[0] as (typeof nodes)[0];
  for (const [i, { redis }] of nodes.entries()) {
    await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    const [from, to] = [i, i + 1].map((n) => Math.floor((n * SLOTS) / primaries));
    if (i < primaries) await redis.call('CLUSTER', 'ADDSLOTSRANGE', from as number, (to as number) - 1);
  }
  for (const { redis } of nodes) await redis.call('CLUSTER', 'MEET', '127.0.0.1', first.port, first.bus);
  const infoOf = async ({ redis }: TestRedis) => String(await redis.call('CLUSTER', 'INFO'));
  const allOf = async (what: string) => (await Promise.all(nodes.map(infoOf))).every((info) => info.includes(what));
  await until(async () => await allOf(`cluster_known_nodes:${count}\r\n`));
  for (const [i, { redis }] of nodes.slice(primaries).entries()) {
    const id = String(await nodes[i]?.redis.call('CLUSTER', 'MYID'));
    await redis.call('CLUSTER', 'REPLICATE', id);
    await until(async () => (await redis.info('replication')).includes('master_link_status:up'));
  }
  await until(async () => await allOf('cluster_state:ok'));
  const redis = new Cluster(
    nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    { redisOptions: { connectionName: 'fixture' }, clusterRetryStrategy: () => 50 },
  );
  redis.on('error', () => {});
  const answering = async () => {
    const asked = nodes.map(async (node) => {
      if (node.redis.status !== 'ready') return [];
      return (await node.redis.info('replication')).includes('role:master') ? [node] : [];
    });
    return (await Promise.all(asked)).flat();
  };
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`)}`,
    tlsUrl: `rediss+cluster://${nodes.map(({ tlsPort }) => `127.0.0.1:${tlsPort}`)}`,
    nodes,
    redis,
    keys: async () => {
      const all = await Promise.all((await answering()).map(async (node) => await node.redis.keys('*')));
      return [...new Set(all.flat())].sort();
    },
    size: async () => {
      const sizes = await Promise.all((await answering()).map(async (node) => await node.redis.dbsize()));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    flush: async () => {
      await Promise.all((await answering()).map(async (node) => await node.redis.flushall()));
    },
    comeBack: async (node) => {
      const at = nodes.indexOf(node as Node);
      nodes[at] = await (nodes[at] as Node).again();
    },
    stop: async () => {
      redis.disconnect();
      await Promise.all(nodes.map(async (node) => await node.stop()));
      for (const node of nodes) node.forget();
    },
  };
}

/** Fails when connections are left at any of its nodes. */
export async function expectNoClusterLeaks({ nodes }: TestCluster): Promise<void> {
  for (const node of nodes) {
    if (node.redis.status !== 'ready') continue;
    await expectNoLeaks({ ...node });
  }
}

/** Cleans the cluster once. */
export async function cleanCluster({ url }: TestCluster, options: CleanOptions = {}): Promise<Report> {
  const settings = options.target ?? targetOf(url, options.settings);
  const { signal = new AbortController().signal, observer } = options;
  const request: RunRequest = {
    run: options.run ?? 'test-run',
    trigger: 'manual',
    dryRun: options.dryRun ?? false,
    staleAfterSeconds: options.staleAfterSeconds ?? settings.staleAfterSeconds,
    force: options.force ?? false,
    attempts: 1,
    carried: null,
    startedAt: Date.now(),
  };
  const link = await Link.open(settings, signal);
  try {
    const target = await openCluster(link, {
      settings,
      stopwatch: new Stopwatch(),
      callsOver: (redis, rest, stopwatch) => new HookedCalls(redis, options, rest, stopwatch),
      wishes: {
        dryRun: request.dryRun,
        signal,
        warn: (sentence) => observer?.warn?.(sentence),
        outages: async (nowMs) => options.outages?.(nowMs) ?? [],
      },
    });
    try {
      return await runCleanup(target, request, options);
    } finally {
      target.close();
    }
  } finally {
    link.close();
  }
}

/** Moves a slot with all its keys to another node, as a resharding does it. */
export async function moveSlot({ nodes }: TestCluster, slot: number, from: TestRedis, to: TestRedis): Promise<void> {
  const [source, target] = await Promise.all(
    [from, to].map(async ({ redis }) => String(await redis.call('CLUSTER', 'MYID'))),
  );
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source as string);
  await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target as string);
  for (;;) {
    const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
    if (keys.length === 0) break;
    await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
  }
  for (const { redis } of [to, from, ...nodes.filter((node) => node !== to && node !== from)]) {
    if (redis.status !== 'ready') continue;
    await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', target as string).catch((error: Error) => {
      // A replica learns it from its primary.
      if (!/replica|only with masters|unknown node/i.test(error.message)) throw error;
    });
  }
}

export interface Left {
  readonly swarm?: string;
  /** Further names, beside everything of the shipped schema. */
  readonly more?: readonly string[];
}

/** Writes a coordinator with all that it leaves; resolves to the names, its heartbeat first. */
export async function settleIn(
  { redis }: TestCluster,
  id: string,
  silentSeconds: number,
  { swarm, more = [] }: Left = {},
): Promise<string[]> {
  // Well away from the threshold, or the second may turn.
  const at = Date.now() - (silentSeconds + 5) * 1000;
  const keys = [...everythingOf(id, swarm), ...more];
  await Promise.all(keys.map(async (key, i) => await redis.set(key, i === 0 ? beat(at, id) : id)));
  return keys;
}

/** One cluster of three for a file: empty before each test, and without leaks after each. */
export function useCluster(): { readonly current: TestCluster } {
  let cluster: TestCluster | undefined;
  const use = {
    get current(): TestCluster {
      if (cluster === undefined) throw new Error('the cluster has not started');
      return cluster;
    },
  };
  beforeAll(async () => {
    cluster = await startCluster();
  });
  beforeEach(async () => await use.current.flush());
  afterEach(async () => await expectNoClusterLeaks(use.current));
  afterAll(async () => await cluster?.stop());
  return use;
}

/** What something that may be aside is called where it belongs. */
export const ownName = (key: string): string => key.replace(/^stalesweep:aside:[^:]*:[^:]*:[^:]*:/, '');

/** Whether it only says that something may be aside. */
export const isMarker = (key: string): boolean => key.startsWith('stalesweep:asides:');
