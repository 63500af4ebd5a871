/** P1 for those whom nobody could know: who beats for the first time ever while a pass is under way. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const NEWCOMERS = 100;

const births = {
  schema: fc.constantFrom('flat', 'swarm'),
  /** At which of the run's calls of this kind they are born. */
  call: fc.constantFrom('scan', 'mget', 'object', 'evalsha', 'watch'),
  nth: fc.integer({ min: 1, max: 8 }),
  foreign: fc.constantFrom(0, 2_000, 8_000),
  stale: fc.constantFrom(1, 30, 600),
  memoryBudgetBytes: fc.constantFrom(undefined, undefined, 20_000),
};
/** Among few keys it is walked again, or asked which were touched; among many the server tells of those who are born. */
const AMONG = {
  'few keys': fc.record(births),
  'many keys': fc.record({
    ...births,
    call: fc.constant('scan'),
    nth: fc.integer({ min: 2, max: 6 }),
    foreign: fc.constant(25_000),
    stale: fc.constant(600),
  }),
};

describe.each(STRATEGIES)('by %s', (_, rules) => {
  test.each(Object.entries(AMONG))(
    'who beats for the first time ever while a run is under way, among %s, keeps all that comes with that beat (P1)',
    async (_, drawn) => {
      const { redis } = server.current;
      const url = await urlFor(server.current, rules);
      await fc.assert(
        fc.asyncProperty(drawn, async ({ schema, call, nth, foreign, stale, memoryBudgetBytes }) => {
          await redis.flushall();
          const beatOf = (id: string, swarm: string) =>
            schema === 'flat' ? `blocking:heartbeat:${id}` : heartbeatOf(id, swarm);
          const long = beat((await nowOf(redis)) - 3_600_000);
          const world: Record<string, string> = {};
          for (let i = 0; i < stale; i++) {
            world[beatOf(`old${i}`, 's1')] = long;
            world[`blocking:ack:old${i}:1`] = '1';
            world[`blocking:idempotency:old${i}:other:done:1`] = '1';
          }
          for (let i = 0; i < foreign; i++) world[`filler:${i}`] = '1';
          await writeAll(redis, world);

          const theirs: string[] = [];
          let calls = 0;
          await clean(url, {
            settings: { schema },
            ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }),
            before: async (name) => {
              if (name !== call || ++calls !== nth) return;
              const now = beat(await nowOf(redis));
              const born: Record<string, string> = {};
              for (let i = 0; i < NEWCOMERS; i++) {
                const old = `old${i % stale}`;
                // A new one, and one whose id is longer than that of one who is stale.
                for (const [id, swarm] of [
                  [`new${i}`, `s${i % 3}`],
                  [`${old}:born${i}`, 's1'],
                ] as const) {
                  born[beatOf(id, swarm)] = now;
                  born[`blocking:idempotency:${id}:${old}:completion:1:${i}`] = '1';
                  born[`blocking:ack:${id}:${i}`] = '1';
                }
              }
              theirs.push(...Object.keys(born));
              await redis.mset(born);
            },
          });
          const there = theirs.length === 0 ? 0 : await redis.exists(...theirs);
          expect(there).toBe(theirs.length);
        }),
        { numRuns: 4 },
      );
    },
    180_000,
  );
});

describe.each(STRATEGIES)('by %s', (_, rules) => {
  test.each([
    ['flat', 'before it looks there', 'scan', 'mget'],
    ['swarm', 'before it looks there', 'scan', 'mget'],
    ['flat', 'once it was shown, until all have been looked for again', 'mget', rules === null ? 'evalsha' : 'watch'],
    ['swarm', 'once it was shown, until all have been looked for again', 'mget', rules === null ? 'evalsha' : 'watch'],
  ])(
    'who has no heartbeat for a moment while a run in %s is under way, from %s, keeps what it shares with a stale one (P1, P2)',
    async (schema, _, away, back) => {
      const { redis } = server.current;
      const beatOf = (id: string) => (schema === 'flat' ? `blocking:heartbeat:${id}` : heartbeatOf(id));
      const now = await nowOf(redis);
      const shared = 'blocking:idempotency:old:lives:done:1';
      const fillers = Array.from({ length: 50 }, (_, i) => [`filler:${i}`, '1']);
      await writeAll(redis, {
        [beatOf('old')]: beat(now - 3_600_000),
        [beatOf('lives')]: beat(now),
        [shared]: 'x',
        ...Object.fromEntries(fillers),
      });
      // Nobody has touched it for an hour.
      await redis.call('RESTORE', shared, 0, await redis.dumpBuffer(shared), 'REPLACE', 'IDLETIME', 3_600);
      const url = await urlFor(server.current, rules);
      let isAway = false;
      let wasAway = false;
      const report = await clean(url, {
        settings: { schema },
        before: async (name) => {
          if (name === away && !wasAway) {
            isAway = wasAway = (await redis.del(beatOf('lives'))) === 1;
          } else if (name === back && isAway) {
            isAway = false;
            await redis.set(beatOf('lives'), beat(await nowOf(redis)));
          }
        },
      });
      expect(wasAway).toBe(true);
      expect(isAway).toBe(false);
      expect(report.coordinators.swept).toBe(1);
      expect(await redis.exists(shared, beatOf('lives'))).toBe(2);
    },
  );

  test.each([
    ['before it is looked there', 'scan', 'mget'],
    ['once it was shown', 'mget', rules === null ? 'evalsha' : 'watch'],
  ])(
    'who has no heartbeat for a moment, %s, alone in its swarm, keeps what one of the same id in another swarm left (P1, P2)',
    async (_, away, back) => {
      const { redis } = server.current;
      const now = await nowOf(redis);
      const lives = heartbeatOf('leader', 's2');
      await writeAll(redis, {
        [heartbeatOf('leader', 's1')]: beat(now - 3_600_000),
        [lives]: beat(now),
        'blocking:signal:leader': '1',
      });
      let isAway = false;
      let wasAway = false;
      const report = await clean(await urlFor(server.current, rules), {
        before: async (name) => {
          if (name === away && !wasAway) isAway = wasAway = (await redis.del(lives)) === 1;
          else if (name === back && isAway) {
            isAway = false;
            await redis.set(lives, beat(await nowOf(redis)));
          }
        },
      });
      expect([wasAway, isAway]).toEqual([true, false]);
      expect(report.coordinators.swept).toBe(1);
      expect(await redis.exists('blocking:signal:leader', lives)).toBe(2);
    },
  );
});
