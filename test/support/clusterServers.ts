/** clusterServers: a private Redis Cluster on this machine, for tests and the benchmark. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import getPort from 'get-port';
import { Cluster } from 'ioredis';
import { SLOTS } from '../../src/redis/cluster/calls/slots.ts';
import { startRedis, type TestRedis } from './redis.ts';

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

async function startNode({ args = [], argsOf, tls }: ClusterOptions, nth: number): Promise<Node> {
  const folder = mkdtempSync(join(tmpdir(), 'stalesweep-node-'));
  const bus = await getPort({ host: '127.0.0.1' });
  const tlsPort = tls === undefined ? 0 : await getPort({ host: '127.0.0.1' });
  // Replicas are sent their data at once.
  const soon = ['--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0'];
  const own = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, ...soon];
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
  const all = [
    ...own,
    '--dir',
    folder,
    ...(tls === undefined ? [] : [...ofTls, ...tls]),
    ...args,
    ...(argsOf?.(nth) ?? []),
  ];
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
  /** More of them for each node, by its number. */
  readonly argsOf?: (node: number) => readonly string[];
  /** The arguments that name a certificate, for encrypted ports beside the others. */
  readonly tls?: readonly string[];
}

const POLL_MS = 20;

/** Resolves once it holds; what throws does not hold. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await pause(POLL_MS);
}

/** Which of so many primaries begins with a slot. */
export function primaryOf(slot: number, primaries: number): number {
  const first = Math.floor((slot * primaries) / SLOTS);
  // Where a share begins is rounded down.
  return Math.floor(((first + 1) * SLOTS) / primaries) <= slot ? first + 1 : first;
}

/** Starts so many primaries with equal shares of the slots, and, where asked for, a replica of each. */
export async function startCluster(primaries = 3, options: ClusterOptions = {}): Promise<TestCluster> {
  const count = options.replicas ? 2 * primaries : primaries;
  const nodes = await Promise.all(Array.from({ length: count }, async (_, nth) => await startNode(options, nth)));
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
    // Whom it only shakes hands with it knows by another id.
    await until(async () => (await redis.call('CLUSTER', 'REPLICATE', id)) === 'OK');
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
