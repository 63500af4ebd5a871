/** soak: the stories of test/drawn/acts told to a cluster, ever new ones, for `SOAK_MINUTES` or until Ctrl-C; `DRAWN_SEED` repeats one. */
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { round } from '../../drawn/acts/round.ts';
import type { Ground } from '../../drawn/ground.ts';
import { cleanCluster, isMarker, ownName, useCluster } from '../../support/cluster.ts';
import type { TestCluster } from '../../support/clusterServers.ts';
import { useRedis } from '../../support/leaks.ts';

const ACTS = 8;
const minutes = Number(process.env.SOAK_MINUTES || Number.POSITIVE_INFINITY);
const queue = useRedis();
const place = useCluster();
const startedAt = performance.now();

async function keysOf({ nodes }: TestCluster, glob: string): Promise<Buffer[]> {
  const lists = nodes.map(async ({ redis }) => {
    const [role] = await redis.role();
    return String(role) === 'master' ? ((await redis.callBuffer('KEYS', glob)) as Buffer[]) : [];
  });
  return (await Promise.all(lists)).flat();
}

/** Every name there is, that of what is set aside as it was; none of stalesweep's own. */
async function namesIn(cluster: TestCluster): Promise<Buffer[]> {
  const names = (await keysOf(cluster, '*')).map((name) => ownName(name.toString('latin1')));
  const theirs = names.filter((name) => !isMarker(name) && !name.startsWith('stalesweep:'));
  return theirs.map((name) => Buffer.from(name, 'latin1'));
}

/** As much of one server's commands as a story needs. */
function asOneServer(cluster: TestCluster): Redis {
  const { redis } = cluster;
  const pipeline = () => {
    const writes: (() => Promise<unknown>)[] = [];
    return {
      unlink: (name: Buffer) => writes.push(async () => await redis.unlink(name)),
      set: (name: Buffer, ...rest: [string, 'PX', number]) => writes.push(async () => await redis.set(name, ...rest)),
      exec: async () => {
        await Promise.all(writes.map((write) => write()));
        return [];
      },
    };
  };
  return {
    flushall: async () => {
      await cluster.flush();
      await queue.current.redis.flushall();
    },
    time: async () => await cluster.nodes[0]?.redis.time(),
    pipeline,
    callBuffer: async (_: string, glob: string) => await (glob === '*' ? namesIn(cluster) : keysOf(cluster, glob)),
    rename: async (from: Buffer, to: Buffer) => await redis.rename(from, to),
    /** It beats, and looks then: what is set aside at that moment is not there, and comes back. */
    eval: async (_: string, count: number, ...args: [Buffer]) => {
      const [heartbeat, ...names] = args.slice(0, count) as [Buffer, ...Buffer[]];
      const [value, ttlMs] = args.slice(count) as unknown as [string, number];
      await redis.set(heartbeat, value, 'PX', ttlMs);
      return await Promise.all(names.map(async (name) => await redis.exists(name)));
    },
  } as unknown as Redis;
}

test('for as long as one likes, on a cluster, too: who lives keeps all, and who was seen and died leaves nothing', async () => {
  const ground: Ground = {
    redis: asOneServer(place.current),
    queue: queue.current.redis.duplicate(),
    clients: [],
    urlFor: () => place.current.url,
    mayRefuse: false,
    leave: () => ground.queue.disconnect(),
  };
  let seed = Number(process.env.DRAWN_SEED || Date.now() % 1_000_000_000);
  const sum = { stories: 0, swept: 0 };
  try {
    for (; performance.now() - startedAt < minutes * 60_000; seed++) {
      const sweep = async (_: string, options: Parameters<typeof cleanCluster>[1]) =>
        await cleanCluster(place.current, options);
      const { drawn, wrong, swept } = await round(ground, seed, ACTS, sweep);
      expect(wrong.slice(0, 3), `DRAWN_SEED=${seed} ${JSON.stringify(drawn)}`).toEqual([]);
      sum.stories++;
      sum.swept += swept;
    }
  } finally {
    ground.leave();
    console.log(JSON.stringify(sum));
  }
});
