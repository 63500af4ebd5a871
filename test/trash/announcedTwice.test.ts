import { expect, test } from 'vitest';
import { pastIn, remember, type Seen } from '../lapsed/scene.ts';
import { clean } from '../support/cleanup.ts';
import { listen, nameOf, TELLING } from '../support/announced.ts';
import { useRedis } from '../support/leaks.ts';
import { populate } from '../support/populate.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { nowOf } from '../support/world.ts';

const server = useRedis();

test.each(STRATEGIES)(
  'two runs side by side tell of everybody once, by %s',
  async (_, rules) => {
    const { redis, url } = server.current;
    await populate({ REDIS_URL: url }, 400, 400);
    const heartbeats = await redis.keys('swarm:*:blocking:heartbeat:*');
    const now = (await nowOf(redis)) / 1000;
    const everybody: string[] = [];
    const lapsed: Seen[] = [];
    for (const key of heartbeats) {
      const [, swarm, , , ...id] = key.split(':');
      everybody.push(nameOf({ swarm: swarm ?? '', id: id.join(':') }));
      if (Math.random() < 0.5) continue;
      const { timestamp } = JSON.parse((await redis.get(key)) ?? '') as { timestamp: number };
      lapsed.push({ id: id.join(':'), ...(swarm === undefined ? {} : { swarm }), agoSeconds: now - timestamp / 1000 });
      await redis.unlink(key);
    }
    await remember(redis, lapsed);
    const heard = await listen(redis);
    const asRun = await urlFor(server.current, rules === null ? null : [...rules, ...TELLING]);
    const settings = {
      announce: { channel: 'swept' },
      callBudget: '0.1ms',
      restartGrace: false,
      trash: Math.random() < 0.5 ? '1h' : '0s',
    };
    const runs = await Promise.all(
      ['one', 'other'].map(async () => await clean(asRun, { settings, sightings: pastIn(redis) })),
    );
    expect(
      runs.every(({ coordinators }) => coordinators.swept > 0),
      'both had a share in it',
    ).toBe(true);
    expect(await heard()).toEqual(everybody.sort());
  },
  120_000,
);
