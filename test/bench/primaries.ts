/** primaries: data that were written on one server, dealt to those of a cluster by their slots, and clusters that serve them. */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { primaryOf, startCluster } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';

const PAGE = 2_000;

/** Where the part of a primary is saved. */
export function partOf(saved: string, primary: number): string {
  return `${saved}.${primary}`;
}

interface Primaries {
  readonly url: string;
  readonly nodes: readonly TestRedis[];
  stop(): Promise<void>;
}

/** Starts an empty cluster whose nodes have these folders. */
export async function servePrimaries(
  primaries: number,
  args: readonly string[],
  folderOf: (node: number) => string,
): Promise<Primaries> {
  await Promise.all(Array.from({ length: primaries }, async (_, node) => await mkdir(folderOf(node))));
  // Nobody is to be taken for failed while it loads.
  const patient = ['--cluster-node-timeout', '60000'];
  return await startCluster(primaries, { args: [...args, ...patient], argsOf: (node) => ['--dir', folderOf(node)] });
}

/** Saves the keys of a server as the primaries of a cluster would hold them. */
export async function split(from: Redis, primaries: number, folder: string, saved: string): Promise<void> {
  const folderOf = (node: number) => join(folder, `part-${node}`);
  const cluster = await servePrimaries(primaries, ['--rdbcompression', 'no', '--rdbchecksum', 'no'], folderOf);
  try {
    for await (const keys of from.scanStream({ count: PAGE }) as AsyncIterable<string[]>) {
      const asked = from.pipeline();
      for (const key of keys) asked.dumpBuffer(key).pttl(key);
      const answers = (await asked.exec()) ?? [];
      const parts = cluster.nodes.map(({ redis }) => redis.pipeline());
      for (const [i, key] of keys.entries()) {
        const [dump, ttlMs] = [answers[2 * i]?.[1] as Buffer, Number(answers[2 * i + 1]?.[1])];
        parts[primaryOf(slotOfText(key), primaries)]?.restore(key, Math.max(0, ttlMs), dump, 'REPLACE');
      }
      for (const part of parts) for (const [error] of (await part.exec()) ?? []) if (error) throw error;
    }
    for (const [node, { redis }] of cluster.nodes.entries()) {
      await redis.save();
      await rename(join(folderOf(node), 'dump.rdb'), partOf(saved, node));
    }
  } finally {
    await cluster.stop();
  }
}
