/** Several calls of one run under way at once, of which one proves whom another removes: what the run says of both. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../chaos/random.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const COORDINATORS = 600;
const ROUNDS = 3;

test('whose answer comes late is counted and listed as swept all the same, and as nothing else', async () => {
  const { redis, url } = server.current;
  const random = new Random(Date.now() % 1_000_000_000);
  for (let round = 0; round < ROUNDS; round++) {
    await redis.flushall();
    const at = (await nowOf(redis)) - 3_600_000;
    const world: Record<string, string> = {};
    for (let n = 0; n < COORDINATORS; n++) {
      world[heartbeatOf(`c${n}`)] = beat(at, `c${n}`);
      // Most who have a key in common go by different calls.
      for (const other of [1, 2, 3].map(() => random.between(0, COORDINATORS - 1))) {
        world[`blocking:idempotency:c${n}:c${other}:completion:1:2`] = '1';
      }
    }
    await writeAll(redis, world);
    const listed = { swept: 0, heartbeats: 0 };
    const report = await clean(url, {
      settings: { callBudget: '0.1ms' },
      observer: {
        list: async (removals) => {
          for (const { swept, keys } of removals) {
            if (swept) listed.swept++;
            listed.heartbeats += keys[0] ?? 0;
          }
        },
      },
      // Whose call has to be put together anew goes after one that was to come later.
      before: async (name) => {
        const id = `c${random.between(0, COORDINATORS - 1)}`;
        if (name === 'evalsha') await redis.set(heartbeatOf(id), beat(Date.now(), id), 'XX');
      },
      after: async (name) => {
        if (name === 'evalsha') await pause(random.pick([0, 0, 1, 5]));
      },
    });
    const { lapsed, revived, swept } = report.coordinators;
    const { heartbeat } = report.keys.byFamily;
    const told = { seed: random.seed, lapsed, swept, heartbeat, listed };
    const gone = COORDINATORS - revived;
    expect(told).toEqual({
      seed: random.seed,
      lapsed: 0,
      swept: gone,
      heartbeat: gone,
      listed: { swept: gone, heartbeats: gone },
    });
  }
});
