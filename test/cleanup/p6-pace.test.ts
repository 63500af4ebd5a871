/** P6: how large a call may be follows how long calls take, and who works also rests. Only orders are compared here, never
 * a machine's speed. */
import { describe, expect, test } from 'vitest';
import { Pace } from '../../src/redis/pace/pace.ts';
import type { Bulk } from '../../src/redis/call/bulk.ts';
import { compileSchema } from '../../src/schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import { populate } from '../../src/redis/sample/populate.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { openSlowWay } from '../support/slowWay.ts';

const server = useRedis(['--enable-debug-command', 'yes']);

async function fill(coordinators: number): Promise<void> {
  const sample = { coordinators, stale: coordinators, acks: 2, idempotency: 1, staleAfterSeconds: 600 };
  await populate(server.current.redis, compileSchema('flat', SHIPPED_SCHEMAS.flat ?? { families: {} }), sample);
}

describe('a pace (P6)', () => {
  const limits = { start: 100, least: 10, most: 1_000 };

  test('at most doubles at once, and never grows beyond its limit', () => {
    const pace = new Pace(2, limits);
    const sizes = Array.from({ length: 5 }, () => {
      pace.learn(pace.size, 0.001);
      return pace.size;
    });
    expect(sizes).toEqual([200, 400, 800, 1_000, 1_000]);
  });

  test('at most halves at once, and never shrinks below its limit', () => {
    const pace = new Pace(2, limits);
    const sizes = Array.from({ length: 5 }, () => {
      pace.learn(pace.size, 10_000);
      return pace.size;
    });
    expect(sizes).toEqual([50, 25, 13, 10, 10]);
  });

  test('settles at what fills the budget', () => {
    const pace = new Pace(2, limits);
    for (let call = 0; call < 20; call++) pace.learn(pace.size, pace.size / 150);
    expect(pace.size).toBe(300);
  });

  test('halves at once when a call timed out or Redis was busy', () => {
    const pace = new Pace(2, limits);
    pace.backOff();
    expect(pace.size).toBe(50);
  });

  test('learns nothing from a call of nothing', () => {
    const pace = new Pace(2, limits);
    pace.learn(0, 1_000);
    expect(pace.size).toBe(100);
  });
});

/** How large each kind of call was: slots of a page, values of a reading, keys of a batch. */
async function sizesOf(url: string, settings: object): Promise<Record<string, number[]>> {
  const sizes: Record<string, number[]> = { scan: [], mget: [], evalsha: [] };
  await clean(url, {
    settings: { schema: 'flat', ...settings },
    before: (name, args) => {
      if (name === 'scan') sizes.scan?.push(Number(args.at(-1)));
      if (name === 'mget') sizes.mget?.push((args[0] as Bulk).count);
      if (name === 'evalsha') sizes.evalsha?.push(Number(args[1]));
    },
  });
  return sizes;
}

const FIRST_ONES = 8;

test('a way that takes 20 ms and up to half as much again shrinks nothing: it is no load (P6)', async () => {
  const { current } = server;
  await fill(3_000);
  const way = await openSlowWay(current.port, 20, 10);
  try {
    const { scan = [], mget = [], evalsha = [] } = await sizesOf(way.url, {});
    expect(Math.min(...scan)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...scan)).toBeGreaterThan(1_000);
    expect(Math.max(...mget)).toBeGreaterThan(100);
    // The last one is what is left.
    expect(Math.min(...evalsha.slice(0, -1))).toBeGreaterThanOrEqual(100);
    // The first ones are on their way before anything is learnt. Were the way taken for load, the others would hold a tenth of them; how
    // long Redis itself takes on a busy machine makes them half as large, or twice.
    expect(Math.max(...evalsha.slice(FIRST_ONES))).toBeGreaterThan(250);
  } finally {
    await way.close();
  }
});

test('what costs Redis more comes in smaller calls, by its own time (P6)', async () => {
  const { redis, url } = server.current;
  const mostRead = async () => Math.max(...((await sizesOf(url, { callBudget: '1ms' })).mget ?? []));
  await fill(500);
  const small = await mostRead();
  await fill(500);
  // Far larger, and still to be read: 100 kB each.
  await redis.eval(
    `for _, key in ipairs(redis.call('KEYS', 'blocking:heartbeat:*')) do redis.call('APPEND', key, string.rep(' ', 100000)) end`,
    0,
  );
  expect(await mostRead()).toBeLessThanOrEqual(small / 2);
});

test('with nice: 1 a run rests at least as long as it works, and with nice: 0 it does not (P6)', async () => {
  const share = async (nice: number): Promise<{ calls: number; all: number; most: number }> => {
    await server.current.redis.flushall();
    await fill(2_000);
    let calls = 0;
    let underWay = 0;
    let most = 0;
    let sentAt = 0;
    const startedAt = performance.now();
    await clean(server.current.url, {
      settings: { schema: 'flat', nice },
      // Asking Redis for its own time takes it some microseconds, and waits for nobody.
      before: (name) => {
        if (name === 'info') return;
        most = Math.max(most, ++underWay);
        sentAt = performance.now();
      },
      after: (name) => {
        if (name === 'info') return;
        underWay--;
        calls += performance.now() - sentAt;
      },
    });
    return { calls, all: performance.now() - startedAt, most };
  };
  const polite = await share(1);
  expect(polite.most).toBe(1);
  // Rests are saved up to a millisecond, so the last of them may be due still.
  expect(polite.all - polite.calls).toBeGreaterThanOrEqual(polite.calls * 0.95);
  expect((await share(0)).most).toBeGreaterThan(1);
});
