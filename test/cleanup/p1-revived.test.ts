import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, everythingOf, heartbeatOf, keysIn, nowOf, settle, STALE, writeAll } from '../support/world.ts';

const server = useRedis();
function isSweep(name: string): boolean {
  return name === 'evalsha' || name === 'eval';
}

/** Does something when everything has been judged; no removal is sent before it is done. */
function beforeSweep(act: () => Promise<unknown>) {
  let acted: Promise<unknown> | undefined;
  return (name: string) => {
    if (isSweep(name)) acted ??= act();
    return acted;
  };
}

test('never removes a key of a coordinator that beat again after being marked (P1)', async () => {
  const { url, redis } = server.current;
  const revived = await settle(redis, 'c1', 3_600);
  await settle(redis, 'c10', 3_600);
  const report = await clean(url, {
    before: beforeSweep(async () => redis.set(heartbeatOf('c1'), beat(await nowOf(redis), 'c1'))),
  });
  expect(await keysIn(redis)).toEqual(revived.sort());
  expect(report.coordinators).toEqual({
    checked: 2,
    active: 0,
    stale: 2,
    unreadable: 0,
    held: 0,
    protected: 0,
    lapsed: 0,
    swept: 1,
    revived: 1,
  });
  expect(report.keys).toMatchObject({ found: 7, deleted: 7 });
});

test('a heartbeat rewritten with another stale value is not the one that was judged (P1)', async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'c1', 3_600);
  const report = await clean(url, {
    before: beforeSweep(async () => redis.set(heartbeatOf('c1'), beat((await nowOf(redis)) - 2 * STALE * 1000))),
  });
  expect(await keysIn(redis)).toEqual(kept.sort());
  expect(report.coordinators).toMatchObject({ stale: 1, revived: 1, swept: 0 });
});

test('a heartbeat that became another type is not the one that was judged (P1, P4)', async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'c1', 3_600);
  const report = await clean(url, {
    before: beforeSweep(async () => {
      await redis.multi().del(heartbeatOf('c1')).hset(heartbeatOf('c1'), 'timestamp', '1').exec();
    }),
  });
  expect(await keysIn(redis)).toEqual(kept.sort());
  expect(report.coordinators).toMatchObject({ swept: 0, revived: 1 });
});

test('a key of two stale coordinators stays when either beats before it goes (P1, P2)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'a', 3_600);
  await settle(redis, 'b', 3_600);
  const shared = 'blocking:idempotency:a:b:update:1:1760000000000';
  await redis.set(shared, '1');
  await clean(url, {
    before: beforeSweep(async () => redis.set(heartbeatOf('b'), beat(await nowOf(redis), 'b'))),
  });
  expect(await keysIn(redis)).toEqual([...everythingOf('b'), shared].sort());
});

test('a key naming one who beats for the first time ever goes: theirs is what is written from then on (P1, P2)', async () => {
  const { url, redis } = server.current;
  const shared = 'blocking:idempotency:a:newborn:update:1:2';
  const at = (await nowOf(redis)) - 3_600_000;
  await writeAll(redis, { 'blocking:heartbeat:a': beat(at), [shared]: '1', 'blocking:signal:a': '1' });
  const report = await clean(url, {
    settings: { schema: 'flat' },
    before: beforeSweep(async () => redis.set('blocking:heartbeat:newborn', beat(await nowOf(redis)))),
  });
  expect(await keysIn(redis)).toEqual(['blocking:heartbeat:newborn']);
  expect(report.coordinators).toMatchObject({ swept: 1, revived: 0 });
});

test('a revived coordinator counts once, however many chunks it stood in (P1)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'busy', 3_600);
  const world: Record<string, string> = {};
  for (let i = 0; i < 4_000; i++) world[`blocking:idempotency:busy:x${i}:update:1:2`] = '1';
  await writeAll(redis, world);
  const before = (await keysIn(redis)).length;
  const report = await clean(url, {
    settings: { callBudget: '0.1ms' },
    before: beforeSweep(async () => redis.set(heartbeatOf('busy'), beat(await nowOf(redis), 'busy'))),
  });
  expect(report.coordinators).toEqual({
    checked: 1,
    active: 0,
    stale: 1,
    unreadable: 0,
    held: 0,
    protected: 0,
    lapsed: 0,
    swept: 0,
    revived: 1,
  });
  expect(await keysIn(redis)).toHaveLength(before);
});

test('a heartbeat that expires before its chunk goes by its absence, with everything it left (P1, P11)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'gone', 3_600);
  await settle(redis, 'stale', 3_600);
  const world: Record<string, string> = {};
  for (let i = 0; i < 2_000; i++) world[`blocking:idempotency:gone:x${i}:update:1:2`] = '1';
  await writeAll(redis, world);
  const report = await clean(url, {
    settings: { callBudget: '0.1ms' },
    before: beforeSweep(async () => redis.del(heartbeatOf('gone'))),
  });
  expect(report.coordinators).toEqual({
    checked: 2,
    active: 0,
    stale: 2,
    unreadable: 0,
    held: 0,
    protected: 0,
    lapsed: 1,
    swept: 2,
    revived: 0,
  });
  expect(await keysIn(redis)).toEqual([]);
});

test('heartbeats that expire all along break no run and no count (P1)', async () => {
  const { url, redis } = server.current;
  const value = beat((await nowOf(redis)) - 3_600_000);
  const pipeline = redis.pipeline();
  for (let i = 0; i < 3_000; i++) {
    pipeline.set(heartbeatOf(`c${i}`), value, 'PX', 1 + (i % 150));
    pipeline.set(`blocking:ack:c${i}:1`, '1', 'PX', 1 + ((i * 7) % 150));
  }
  await pipeline.exec();
  const { coordinators, keys } = await clean(url, { settings: { callBudget: '0.1ms' } });
  expect(coordinators.checked).toBe(coordinators.active + coordinators.stale + coordinators.unreadable);
  expect(coordinators.stale).toBe(coordinators.swept + coordinators.revived);
  expect(keys.deleted).toBeLessThanOrEqual(6_000);
});
