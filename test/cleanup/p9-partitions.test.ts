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
