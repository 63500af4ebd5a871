/** Many targets in one configuration: their schedules, as targets come and go. */
import { afterEach, expect, test } from 'vitest';
import { type Config, resolveConfig } from '../../src/config/resolve.ts';
import { openQueues, type Queues } from '../../src/queue/queues.ts';
import { declareSchedules } from '../../src/queue/schedules/schedules.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();
const MINUTE_MS = 60_000;

let queues: Queues | undefined;
afterEach(async () => await queues?.close());

/** Targets of these numbers, each a database of its own; the file says how often they are cleaned. */
function configured(numbers: readonly number[], every: (n: number) => object = () => ({ every: '60s' })): Config {
  const targets = numbers.map((n) => [`t${n}`, { url: `redis://host-${n}:6379/${n}`, ...every(n) }]);
  const text = JSON.stringify({ queue: { url: server.current.url }, targets: Object.fromEntries(targets) });
  return resolveConfig({}, {}, { name: 'stalesweep.yaml', text });
}

/** How a process declares its schedules as it starts. */
async function opened() {
  const own = await openQueues(server.current.url, { onError: () => {}, onReady: () => {} });
  queues = own;
  return {
    declare: async ({ targets }: Config) => await declareSchedules(own, targets),
    /** Everything the queue holds of each schedule and its next tick, by target. */
    held: async () => {
      const all = await own.schedule.getJobSchedulers();
      const ticks = await Promise.all(
        all.map(async ({ key, next }) => await own.schedule.getJob(`repeat:${key}:${next}`)),
      );
      return new Map(
        all.map((scheduler, i) => [
          String(scheduler.template?.data?.target),
          JSON.stringify([{ ...scheduler, iterationCount: 0 }, ticks[i]?.timestamp, ticks[i]?.delay]),
        ]),
      );
    },
    places: async () => (await own.schedule.getJobSchedulers()).map(({ next }) => Number(next) % MINUTE_MS),
  };
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

test('fifty that share a minute begin in fifty different tenths of a second, also when one by one they were added', async () => {
  const tenths = (places: readonly number[]) => new Set(places.map((at) => Math.floor(at / 100)));
  const { declare, places } = await opened();
  await declare(configured(upTo(50)));
  expect(tenths(await places()).size).toBe(50);
  await server.current.redis.flushall();
  for (const count of [1, 2, 50]) await declare(configured(upTo(count)));
  expect(tenths(await places()).size).toBe(50);
});

test('adding, changing, renaming or removing one touches no other’s schedule', async () => {
  const mixed = (n: number) =>
    n % 5 === 0 ? { cron: `${n} 3 * * *`, tz: 'Europe/Vienna' } : { every: `${1 + (n % 3)}h` };
  const { declare, held } = await opened();
  const all = upTo(50);
  await declare(configured(all, mixed));
  const before = await held();
  const expectOthersSame = async (touched: readonly number[], there: number) => {
    const now = await held();
    expect(now.size).toBe(there);
    for (const [target, was] of before)
      if (!touched.includes(Number(target.slice(1)))) expect(now.get(target)).toBe(was);
  };
  await declare(configured([...all, 51], mixed));
  await expectOthersSame([], 51);
  // It was declared before 51 came.
  await declare(configured([...all.filter((n) => n !== 7), 51], mixed));
  await expectOthersSame([7], 50);
  await declare(configured([...all.filter((n) => n !== 7), 51], (n) => (n === 8 ? { every: '9m' } : mixed(n))));
  await expectOthersSame([7, 8], 50);
  await declare(configured(all, mixed));
  await expectOthersSame([7, 8], 50);
});

test('the first of an interval begins at once, and stays where it is when others come', async () => {
  const { declare, held } = await opened();
  const startedAt = Date.now();
  await declare(configured([1]));
  const [next] = [...(await held()).values()].map((one) => JSON.parse(one)[0].next as number);
  expect(next).toBeGreaterThanOrEqual(startedAt);
  expect(next).toBeLessThanOrEqual(Date.now());
  const before = (await held()).get('t1');
  await declare(configured(upTo(20)));
  expect((await held()).get('t1')).toBe(before);
});
