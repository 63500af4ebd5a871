import { describe, expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { nowOf, writeAll } from '../support/world.ts';
import {
  BELONGINGS,
  beats,
  belongingsOf,
  lapse,
  leftIn,
  namesRemembered,
  remember,
  rememberedIn,
  runWithPast,
  SCHEMAS,
  settle,
  sharedBy,
  THRESHOLD,
} from './scene.ts';

const server = useRedis();

/** `swarm` names one, the others do not. */
function swarmIn(schema: string) {
  return schema === 'swarm' ? { swarm: 's1' } : {};
}

describe.each(STRATEGIES)('by %s', (strategy, rules) => {
  const asUser = async () => ({ url: await urlFor(server.current, rules), redis: server.current.redis });

  test.each(SCHEMAS)(
    'of a lapsed coordinator everything goes, of a living one nothing: %s (P1, P2, P11)',
    async (schema) => {
      const { redis } = server.current;
      const ids = ['swarm-1:coordinator-1', 'swarm-1:coordinator-11', 'coordinator-1'];
      await lapse(
        redis,
        schema,
        ids.map((id) => ({ id, agoSeconds: THRESHOLD + 10 })),
      );
      const own = [
        sharedBy(ids[0] ?? '', ids[1] ?? ''),
        sharedBy('nobody', ids[2] ?? ''),
        sharedBy(ids[1] ?? '', 'nobody'),
      ];
      const living = await settle(redis, schema, 'swarm-1:coordinator-2');
      const shared = [sharedBy('swarm-1:coordinator-2', ids[0] ?? ''), sharedBy(ids[1] ?? '', 'swarm-1:coordinator-2')];
      await writeAll(redis, Object.fromEntries([...own, ...shared].map((key) => [key, '1'])));
      const { report } = await runWithPast(await asUser(), { schema });
      expect(await leftIn(redis)).toEqual([...living, ...shared].sort());
      expect(report.strategy).toBe(strategy);
      expect(report.coordinators).toEqual({
        checked: 4,
        active: 1,
        stale: 3,
        unreadable: 0,
        held: 0,
        protected: 0,
        lapsed: 3,
        swept: 3,
        revived: 0,
      });
      const byFamily = Object.entries(BELONGINGS).map(([family, each]) => [family, 3 * each]);
      expect(report.keys.byFamily).toEqual({ heartbeat: 0, ...Object.fromEntries(byFamily), idempotency: 3 + 3 });
      expect(report.keys).toMatchObject({ found: 21, deleted: 21, orphans: 0 });
      // Who shares a key with the living is remembered, so that it goes with proof of both.
      expect(await namesRemembered(redis)).toEqual([...ids, 'swarm-1:coordinator-2'].sort());
    },
  );

  test.each(SCHEMAS)(
    'a lapsed coordinator counts as living until its silence exceeds the threshold: %s (P11)',
    async (schema) => {
      const { redis } = server.current;
      await lapse(redis, schema, [{ id: 'c1', agoSeconds: THRESHOLD - 20 }]);
      await redis.set(sharedBy('c1', 'c2'), '1');
      await remember(redis, [
        { id: 'c1', agoSeconds: THRESHOLD - 20, ...swarmIn(schema) },
        { id: 'c2', agoSeconds: THRESHOLD + 20, ...swarmIn(schema) },
      ]);
      const before = await leftIn(redis);
      const { report } = await runWithPast(await asUser(), { schema });
      expect(await leftIn(redis)).toEqual(before);
      expect(report.coordinators).toMatchObject({ active: 1, stale: 0, lapsed: 0, swept: 0 });
      expect(await namesRemembered(redis)).toEqual(['c1', 'c2']);
    },
  );
});

test('at the threshold in whole seconds it lives, one second later it is stale (P5, P11)', async () => {
  const { redis } = server.current;
  for (const [agoSeconds, stale] of [
    [THRESHOLD, 0],
    [THRESHOLD + 1, 1],
  ] as const) {
    for (let from = 0, to = -1; from !== to; ) {
      from = await nowOf(redis);
      await lapse(redis, 'flat', [{ id: 'c1', agoSeconds }]);
      const { report } = await runWithPast(server.current);
      to = await nowOf(redis);
      if (from === to) expect(report.coordinators).toMatchObject({ active: 1 - stale, stale, lapsed: stale });
    }
  }
});

test('from one run to the next its last beat is known as it was seen, until it is stale (P11)', async () => {
  const { redis } = server.current;
  const keys = belongingsOf('flat', 'c1');
  await settle(redis, 'flat', 'c1');
  await runWithPast(server.current);
  expect((await rememberedIn(redis))[0]?.agoSeconds).toBeLessThan(30);
  await redis.del('blocking:heartbeat:c1');
  for (const agoSeconds of [100, 300, 580]) {
    await remember(redis, [{ id: 'c1', agoSeconds }]);
    const { report } = await runWithPast(server.current);
    expect(report.coordinators).toMatchObject({ checked: 1, active: 1, stale: 0 });
    const [seen] = await rememberedIn(redis);
    expect(Math.abs((seen?.agoSeconds ?? 0) - agoSeconds)).toBeLessThan(15);
  }
  expect(await leftIn(redis)).toEqual([...keys].sort());
  await remember(redis, [{ id: 'c1', agoSeconds: 620 }]);
  await runWithPast(server.current);
  expect(await leftIn(redis)).toEqual([]);
  expect(await rememberedIn(redis)).toEqual([]);
});

test('who has a heartbeat again is judged by it, whatever was seen before (P1, P11)', async () => {
  const { redis } = server.current;
  await lapse(redis, 'flat', [{ id: 'c1', agoSeconds: 5_000 }]);
  await beats(redis, 'flat', 'c1');
  const { report } = await runWithPast(server.current);
  expect(report.coordinators).toMatchObject({ checked: 1, active: 1, stale: 0, lapsed: 0 });
  expect((await rememberedIn(redis))[0]?.agoSeconds).toBeLessThan(30);
});

test('lapsed in one swarm and active in another: only what names the first swarm goes (P2, P11)', async () => {
  const { redis } = server.current;
  await lapse(redis, 'swarm', [{ id: 'leader', swarm: 's1', agoSeconds: 5_000 }]);
  const living = await settle(redis, 'swarm', 'leader', 's2');
  const { report } = await runWithPast(server.current, { schema: 'swarm' });
  expect(await leftIn(redis)).toEqual([...living].sort());
  expect(report.coordinators).toMatchObject({ checked: 2, active: 1, stale: 1, lapsed: 1, swept: 1 });
  expect(report.keys.byFamily).toMatchObject({ activity: 1, state: 1, signal: 0, ack: 0 });
});

test('lapsed in both its swarms, the one and the other: it goes whole (P11)', async () => {
  const { redis } = server.current;
  await lapse(redis, 'swarm', [
    { id: 'leader', swarm: 's1', agoSeconds: 5_000 },
    { id: 'leader', swarm: 's2', agoSeconds: 6_000 },
  ]);
  const { report } = await runWithPast(server.current, { schema: 'swarm' });
  expect(await leftIn(redis)).toEqual([]);
  expect(report.coordinators).toMatchObject({ checked: 2, stale: 2, lapsed: 2, swept: 2 });
});
