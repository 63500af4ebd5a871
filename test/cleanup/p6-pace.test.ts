/** P6: how large a call may be follows how long calls take, and who works also rests. Only orders are compared here, never
 * a machine's speed. */
import { describe, expect, test } from 'vitest';
import { Pace } from '../../src/cleanup/pace.ts';
import { compileSchema } from '../../src/schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import { populate } from '../../src/redis/populate.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis(['--enable-debug-command', 'yes']);

const fill = async (coordinators: number): Promise<void> => {
  const sample = { coordinators, stale: coordinators, acks: 2, idempotency: 1, staleAfterSeconds: 600 };
  await populate(server.current.redis, compileSchema('flat', SHIPPED_SCHEMAS.flat ?? { families: {} }), sample);
};

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

  test('behind a slow network shrinks no further than to an eighth of what Redis could do', () => {
    const pace = new Pace(2, { ...limits, least: 1 }, 50);
    for (let call = 0; call < 50; call++) pace.learn(pace.size, 50 + pace.size / 400);
    expect(pace.size).toBe(100);
  });

  test('learns nothing from a call of nothing', () => {
    const pace = new Pace(2, limits);
    pace.learn(0, 1_000);
    expect(pace.size).toBe(100);
  });
});

test('chunks shrink while others keep Redis busy, and grow again after (P6)', async () => {
  const { redis, url } = server.current;
  await fill(20_000);
  const sizes: number[] = [];
  const busy = { from: 5, to: 9 };
  const sleeping: Promise<unknown>[] = [];
  const report = await clean(url, {
    settings: { schema: 'flat', callBudget: '20ms' },
    before: (name, args) => {
      if (name !== 'evalsha') return;
      sizes.push(Number(args[1]));
      // Somebody else's long call comes before it.
      if (sizes.length >= busy.from && sizes.length < busy.to) sleeping.push(redis.call('DEBUG', 'SLEEP', '0.2'));
    },
  });
  await Promise.all(sleeping);

  expect(report.coordinators.swept).toBe(20_000);
  const before = Math.max(...sizes.slice(0, busy.from));
  const during = Math.min(...sizes.slice(busy.from, busy.to + 2));
  const after = Math.max(...sizes.slice(busy.to + 2, -1));
  expect(during).toBeLessThanOrEqual(before / 4);
  expect(after).toBeGreaterThanOrEqual(during * 4);
});

test('with nice: 1 a run rests at least as long as it works, and with nice: 0 it does not (P6)', async () => {
  const share = async (nice: number): Promise<{ calls: number; all: number; most: number }> => {
    await server.current.redis.flushall();
    await fill(5_000);
    let calls = 0;
    let underWay = 0;
    let most = 0;
    let sentAt = 0;
    const startedAt = performance.now();
    await clean(server.current.url, {
      settings: { schema: 'flat', nice },
      before: () => {
        most = Math.max(most, ++underWay);
        sentAt = performance.now();
      },
      after: () => {
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
