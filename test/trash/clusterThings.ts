/** clusterThings: what the stale of a cluster leave, of every type, how it was, and what became of it. */
import { markerKeys } from '../../src/redis/cluster/aside/names.ts';
import { readTrashName } from '../../src/redis/trash/names.ts';
import { settleIn } from '../support/cluster.ts';
import type { TestCluster } from '../support/clusterServers.ts';
import { STALE } from '../support/world.ts';

/** A whole number from 0 on, below this one. */
export function pick(below: number) {
  return Math.floor(Math.random() * below);
}
/** Ids whose names share a slot, and names that Redis Cluster reads in ways of its own. */
const IDS = ['c', '{tag}', '{}', 'a}b', '{', 'ü'];
/** One of its own for each number. */
export function idOf(nth: number) {
  return `${IDS[nth % IDS.length]}${nth}`;
}

/** Something of any type in the place of a string. */
async function writeAny({ redis }: TestCluster, key: string): Promise<void> {
  const value = `${Math.random()}`;
  await redis.del(key);
  const ways = [
    () => redis.set(key, value),
    () => redis.hset(key, { [value]: value, b: '2' }),
    // One member: DUMP writes more of them in the order of a server's own seed, and a move from node to node is to another one's.
    () => redis.sadd(key, value),
    () => redis.zadd(key, 1, value, 2, 'b'),
    () => redis.rpush(key, value, 'b'),
    () => redis.xadd(key, '1-1', 'a', value),
  ] as const;
  await ways[pick(ways.length)]?.();
}

/** Many who are stale, with things of all types, some of which expire; resolves to their names. */
export async function settleMany(cluster: TestCluster, count: number): Promise<string[]> {
  const all = await Promise.all(
    Array.from({ length: count }, async (_, nth) => {
      const id = idOf(nth);
      const more = [`blocking:idempotency:${id}:${idOf((nth + 1) % count)}:done:1:${nth}`, `blocking:ack:${id}:}x{`];
      const keys = await settleIn(cluster, id, STALE, { more });
      for (const key of keys.slice(1)) if (pick(2) === 0) await writeAny(cluster, key);
      // Whoever can expire lives for longer than the test takes.
      for (const key of keys) if (pick(2) === 0) await cluster.redis.pexpire(key, 500_000 + pick(5_000_000));
      return keys;
    }),
  );
  return all.flat();
}

interface Kept {
  readonly dump: string;
  readonly expiresAt: number;
}

/** Of each key what it holds and until when. */
export async function contents({ redis }: TestCluster, keys: readonly string[]): Promise<Map<string, Kept>> {
  const kept = keys.map(async (key): Promise<[string, Kept]> => {
    const dump = await redis.dumpBuffer(key);
    return [key, { dump: dump?.toString('latin1') ?? 'gone', expiresAt: await redis.pexpiretime(key) }];
  });
  return new Map(await Promise.all(kept));
}

/** What differs, but for a second of their times to live. */
export function differencesIn(before: ReadonlyMap<string, Kept>, after: ReadonlyMap<string, Kept>): readonly string[] {
  return [...before].flatMap(([key, { dump, expiresAt }]) => {
    const now = after.get(key);
    if (now?.dump !== dump) return [`${key} held ${JSON.stringify(dump)}, and now ${JSON.stringify(now?.dump)}`];
    const isSame = Math.abs(now.expiresAt - expiresAt) < 1_000 && now.expiresAt < 0 === expiresAt < 0;
    return isSame ? [] : [`${key} expires at ${now.expiresAt} instead of ${expiresAt}`];
  });
}

/** What lies in the trash, by its own names. */
export function trashed(keys: readonly string[]) {
  return keys.flatMap((key) => readTrashName(Buffer.from(key))?.name.toString() ?? []);
}
/** What is none of stalesweep's. */
export async function own(cluster: TestCluster) {
  return (await cluster.keys()).filter((key) => !key.startsWith('stalesweep:'));
}

/** All that stand. */
export async function words(cluster: TestCluster): Promise<string[]> {
  const all = await Promise.all(markerKeys().map(async (key) => await cluster.redis.smembers(key)));
  return all.flat();
}
