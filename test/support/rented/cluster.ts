/** cluster: a cluster of which each node stands behind a door of a service, and names that one to whoever asks. */
import { setTimeout as pause } from 'node:timers/promises';
import { startCluster, type TestCluster, until } from '../clusterServers.ts';
import { RentedRedis, type Rule } from './proxy.ts';

export interface RentedCluster {
  /** As whoever stands behind no door sees it. */
  readonly cluster: TestCluster;
  /** By the doors. */
  readonly url: string;
  readonly doors: readonly RentedRedis[];
  /** What all doors do from now on. */
  setRule(rule: Rule): void;
  stop(): Promise<void>;
}

/** Starts one of three nodes. */
export async function startRentedCluster(): Promise<RentedCluster> {
  const cluster = await startCluster();
  let rule: Rule = () => 'pass';
  const doors = await Promise.all(
    cluster.nodes.map(async ({ port }) => await RentedRedis.open(port, (command) => rule(command))),
  );
  const ports = doors.map(({ url }) => Number(new URL(url).port));
  for (const [i, { redis }] of cluster.nodes.entries())
    await redis.call('CONFIG', 'SET', 'cluster-announce-port', String(ports[i]));
  const knowsAll = async (node: TestCluster['nodes'][0]) => {
    const known = String(await node.redis.call('CLUSTER', 'NODES'));
    return ports.every((port) => known.includes(`127.0.0.1:${port}@`));
  };
  await until(async () => (await Promise.all(cluster.nodes.map(knowsAll))).every(Boolean));
  // The fixture's own way goes by what the nodes name.
  cluster.redis.disconnect();
  await pause(0);
  return {
    cluster,
    url: `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    doors,
    setRule: (next) => {
      rule = next;
    },
    stop: async () => {
      for (const door of doors) await door.close();
      await cluster.stop();
    },
  };
}
