/** P1 where heartbeats name a swarm: an id that is stale in one may be born in another while a run is under way. */
import { describe, expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { ACTIVE, beat, heartbeatOf, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();
const SWARMS = ['s0', 's1', 's2', 's3', 's4'];
const STALE_IDS = 600;
const REMOVALS = new Set(['evalsha', 'eval', 'exec']);

/** Every id is stale in one swarm, `leader` in all but the last; in each swarm somebody lives. */
async function fill(): Promise<string[]> {
  const { redis } = server.current;
  const at = (await nowOf(redis)) - 3_600_000;
  const world: Record<string, string> = {};
  const ids = Array.from({ length: STALE_IDS }, (_, i) => `c${i}`);
  for (const [i, id] of ids.entries()) {
    world[heartbeatOf(id, SWARMS[i % SWARMS.length])] = beat(at, id);
    world[`blocking:signal:${id}`] = 'old';
    world[`blocking:ack:${id}:1`] = 'old';
  }
  for (const swarm of SWARMS.slice(0, -1)) world[heartbeatOf('leader', swarm)] = beat(at, 'leader');
  world['blocking:signal:leader'] = 'old';
  await writeAll(redis, world);
  for (const swarm of SWARMS) await settle(redis, `living-${swarm}`, ACTIVE, swarm);
  return [...ids, 'leader'];
}

describe.each(STRATEGIES)('by %s', (strategy, rules) => {
  test('whoever is born in another swarm while a run removes loses nothing it then writes (P1)', async () => {
    const { redis } = server.current;
    const ids = await fill();
    const born = new Set<string>();
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const bear = async (id: string) => {
      born.add(id);
      const swarm = id === 'leader' ? SWARMS.at(-1) : SWARMS[(Number(id.slice(1)) + 1 + random(4)) % SWARMS.length];
      const now = await nowOf(redis);
      await redis
        .multi()
        .set(heartbeatOf(id, swarm), beat(now, id))
        .set(`blocking:signal:${id}`, 'new')
        .set(`blocking:ack:${id}:1`, 'new')
        .exec();
    };
    const report = await clean(await urlFor(server.current, rules), {
      settings: { callBudget: '0.2ms' },
      before: async (name) => {
        if (!REMOVALS.has(name)) return;
        const births = Array.from({ length: 6 }, () => ids[random(ids.length)] ?? 'leader');
        await Promise.all([...new Set(births)].filter((id) => !born.has(id)).map(bear));
      },
    });
    expect(report.strategy).toBe(strategy);
    expect(born.size).toBeGreaterThan(20);
    const lost: string[] = [];
    for (const id of born) {
      const values = await redis.mget(`blocking:signal:${id}`, `blocking:ack:${id}:1`);
      if (values.some((value) => value !== 'new')) lost.push(id);
    }
    expect(lost).toEqual([]);
    // Whoever was not born anywhere is gone.
    const left = ids.filter((id) => !born.has(id));
    expect(await redis.exists(...left.map((id) => `blocking:signal:${id}`))).toBe(0);
  });

  test('a role that is stale in many swarms goes only while it is in none of the others (P1)', async () => {
    const { redis } = server.current;
    await fill();
    let done: Promise<unknown> | undefined;
    await clean(await urlFor(server.current, rules), {
      before: async (name) => {
        if (REMOVALS.has(name)) done ??= redis.set(heartbeatOf('leader', 's4'), beat(await nowOf(redis), 'leader'));
        await done;
      },
    });
    expect(await redis.get('blocking:signal:leader')).toBe('old');
    expect(await redis.exists(heartbeatOf('leader', 's0'))).toBe(0);
  });
});

test('who is known from another swarm is proved absent in the one that a key names (P1)', async () => {
  const { redis, url } = server.current;
  const schema = {
    heartbeat: 'beats:{swarm}:{coordinator}',
    locks: ['locks:{swarm}:{coordinator}', 'locks:{coordinator}:*'],
  };
  const long = (await nowOf(redis)) - 3_600_000;
  // One's, or the other's in a swarm that is called as the first.
  const shared = 'locks:one:other';
  await writeAll(redis, { 'beats:s1:one': beat(long), 'beats:s2:other': beat(long), [shared]: '1' });
  let isBorn = false;
  const report = await clean(url, {
    settings: { schema: 'mine', schemas: { mine: schema } },
    before: async (name) => {
      if (name !== 'evalsha' || isBorn) return;
      isBorn = true;
      await redis.set('beats:one:other', beat(await nowOf(redis)));
    },
  });
  expect(isBorn).toBe(true);
  expect(await redis.exists(shared)).toBe(1);
  expect(report.coordinators.swept).toBe(2);
});
