/** P3 and P9 together: what stale coordinators of several partitions share goes with the last of them. */
import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, heartbeatOf, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const COORDINATORS = 2_400;
const SWARM_SIZE = 2;

test('a key of two whom the memory budget puts in different partitions goes, however many swarms there are (P3, P9)', async () => {
  const { redis, url } = server.current;
  const at = (await nowOf(redis)) - 3_600_000;
  const world: Record<string, string> = {};
  for (let i = 0; i < COORDINATORS; i++) {
    world[heartbeatOf(`c${i}`, `s${Math.floor(i / SWARM_SIZE)}`)] = beat(at, `c${i}`);
    world[`blocking:idempotency:c${i}:c${(i + 1) % COORDINATORS}:completion:1:1760000000000`] = '1';
  }
  await writeAll(redis, world);
  const report = await clean(url, { memoryBudgetBytes: 200_000 });
  expect(report.coordinators).toMatchObject({ stale: COORDINATORS, swept: COORDINATORS });
  expect(await keysIn(redis)).toEqual([]);
});

test.each(['200 kB', 'plenty'])(
  'who vanishes before its turn is not counted as stale, whatever memory there is: %s (P9)',
  async (memory) => {
    const { redis, url } = server.current;
    const at = (await nowOf(redis)) - 3_600_000;
    const ids = Array.from({ length: COORDINATORS }, (_, i) => `c${i}`);
    await writeAll(redis, Object.fromEntries(ids.map((id) => [heartbeatOf(id), beat(at, id)])));
    const leaving = ids.filter(() => Math.random() < 0.3);
    const returning = ids.filter((id) => !leaving.includes(id) && Math.random() < 0.1);
    let meanwhile: Promise<unknown> | undefined;
    const others = async () => {
      await redis.unlink(...leaving.map((id) => heartbeatOf(id)));
      const now = await nowOf(redis);
      await writeAll(redis, Object.fromEntries(returning.map((id) => [heartbeatOf(id), beat(now, id)])));
    };
    const report = await clean(url, {
      ...(memory === 'plenty' ? {} : { memoryBudgetBytes: 200_000 }),
      observer: {
        phase: (phase) => {
          if (phase === 'sweep') meanwhile ??= others();
        },
      },
      before: async () => await meanwhile,
    });
    const stale = COORDINATORS - leaving.length;
    const swept = stale - returning.length;
    expect(report.coordinators).toMatchObject({
      checked: stale,
      active: 0,
      stale,
      lapsed: 0,
      swept,
      revived: returning.length,
    });
    expect(report.silence.at(-1)).toBe(stale);
    expect((await keysIn(redis)).length).toBe(returning.length);
  },
);
