import { describe, expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { writeAll } from '../support/world.ts';
import {
  beats,
  heartbeatOf,
  lapse,
  leftIn,
  LONG_AGO,
  remember,
  rememberedIn,
  runWithPast,
  settle,
  sharedBy,
} from './scene.ts';

const server = useRedis();

describe.each(STRATEGIES)('by %s', (strategy, rules) => {
  const asUser = async () => ({ url: await urlFor(server.current, rules), redis: server.current.redis });

  /** Does something between the last look and the removal, once. */
  const inThatMoment = (act: () => Promise<unknown>) => {
    const moment = strategy === 'script' ? 'evalsha' : 'exec';
    let acted: Promise<unknown> | undefined;
    return (name: string) => {
      if (name === moment) acted ??= act();
      return acted;
    };
  };

  test.each(['flat', 'swarm'] as const)(
    'a lapsed coordinator that beats in the moment of its removal is revived, and stays whole: %s (P1, P11)',
    async (schema) => {
      const { redis } = server.current;
      await lapse(redis, schema, [
        { id: 'back', agoSeconds: LONG_AGO },
        { id: 'gone', agoSeconds: LONG_AGO },
      ]);
      await writeAll(redis, { [sharedBy('gone', 'back')]: '1', [sharedBy('back', 'gone')]: '1' });
      const whole = (await leftIn(redis)).filter((key) => key.includes('back'));
      const { report } = await runWithPast(await asUser(), {
        schema,
        before: inThatMoment(async () => await beats(redis, schema, 'back')),
      });
      expect(await leftIn(redis)).toEqual([...whole, heartbeatOf(schema, 'back')].sort());
      expect(report.strategy).toBe(strategy);
      expect(report.coordinators).toEqual({
        checked: 2,
        active: 0,
        stale: 2,
        unreadable: 0,
        held: 0,
        protected: 0,
        lapsed: 1,
        swept: 1,
        revived: 1,
      });
      const remembered = await rememberedIn(redis);
      expect(remembered.map(({ id }) => id)).toEqual(['back']);
      expect(remembered[0]?.agoSeconds).toBeLessThan(30);
    },
  );

  test('one that came back after the walk had passed it is revived, though many are removed with it (P1, P11)', async () => {
    const { redis } = server.current;
    const ids = Array.from({ length: 300 }, (_, i) => `c${i}`);
    await lapse(
      redis,
      'flat',
      ids.map((id) => ({ id, agoSeconds: LONG_AGO })),
    );
    const back = ids.filter((_, i) => i % 7 === 0);
    const whole = (await leftIn(redis)).filter((key) => back.some((id) => key.split(':').includes(id)));
    const { report } = await runWithPast(await asUser(), {
      before: inThatMoment(async () => {
        for (const id of back) await beats(redis, 'flat', id);
      }),
    });
    const { stale, swept, revived, lapsed } = report.coordinators;
    expect({ stale, swept, revived, lapsed }).toEqual({
      stale: 300,
      swept: 300 - back.length,
      revived: back.length,
      lapsed: 300 - back.length,
    });
    expect(await leftIn(redis)).toEqual([...whole, ...back.map((id) => heartbeatOf('flat', id))].sort());
  });

  test('a heartbeat of another type than the schema says proves no absence (P1, P4, P11)', async () => {
    const { redis } = server.current;
    await lapse(redis, 'flat', [{ id: 'back', agoSeconds: LONG_AGO }]);
    const before = await leftIn(redis);
    const { report } = await runWithPast(await asUser(), {
      before: inThatMoment(async () => await redis.hset(heartbeatOf('flat', 'back'), 'timestamp', '1')),
    });
    expect(await leftIn(redis)).toEqual([...before, heartbeatOf('flat', 'back')].sort());
    expect(report.coordinators).toMatchObject({ stale: 1, swept: 0, revived: 1, lapsed: 0 });
  });

  test('a heartbeat that expires between its judgement and its removal goes on as lapsed (P1, P11)', async () => {
    const { redis } = server.current;
    await lapse(redis, 'flat', []);
    const silent = JSON.stringify({ timestamp: Date.now() - LONG_AGO * 1000 });
    await writeAll(redis, { [heartbeatOf('flat', 'c1')]: silent, 'blocking:signal:c1': '1' });
    const { report } = await runWithPast(await asUser(), {
      before: inThatMoment(async () => await redis.del(heartbeatOf('flat', 'c1'))),
    });
    expect(await leftIn(redis)).toEqual([]);
    expect(report.coordinators).toMatchObject({ stale: 1, swept: 1, revived: 0, lapsed: 1 });
    expect(report.keys.byFamily).toMatchObject({ heartbeat: 0, signal: 1 });
  });

  test('who was swept, and comes back when the other owner of a key goes, keeps that key (P1, P2, P11)', async () => {
    const { redis } = server.current;
    await lapse(redis, 'flat', [{ id: 'a', agoSeconds: LONG_AGO }]);
    await settle(redis, 'flat', 'b');
    await writeAll(redis, { [sharedBy('a', 'b')]: '1', [sharedBy('b', 'a')]: '1' });
    const first = await runWithPast(await asUser());
    expect(first.report.coordinators).toMatchObject({ active: 1, swept: 1 });
    expect((await rememberedIn(redis)).map(({ id }) => id)).toEqual(['a', 'b']);
    await redis.del(heartbeatOf('flat', 'b'));
    await remember(redis, [
      { id: 'a', agoSeconds: LONG_AGO },
      { id: 'b', agoSeconds: LONG_AGO },
    ]);
    const { report } = await runWithPast(await asUser(), {
      before: inThatMoment(async () => await beats(redis, 'flat', 'a')),
    });
    expect(report.coordinators).toMatchObject({ checked: 2, stale: 2, lapsed: 1, swept: 1, revived: 1 });
    expect(await leftIn(redis)).toEqual([heartbeatOf('flat', 'a'), sharedBy('a', 'b'), sharedBy('b', 'a')].sort());
  });
});
