import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { belongingsOf, heartbeatOf, keysIn, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();

const NESTED = '{"coordinatorId":"c","meta":{"timestamp":1}}';

test.each([
  ['not JSON', 'gone'],
  ['empty', ''],
  ['a nested timestamp', NESTED],
  ['no timestamp', '{}'],
  ['null', '{"timestamp":null}'],
  ['an empty string', '{"timestamp":""}'],
  ['a date without a zone', '{"timestamp":"2020-01-01T00:00:00"}'],
  ['a number beyond all', '{"timestamp":1e999}'],
  ['NaN', '{"timestamp":NaN}'],
  ['before the epoch', '{"timestamp":-1}'],
  ['a list', '[{"timestamp":1}]'],
  ['a bare number', '1'],
  ['a prototype', '{"__proto__":{"timestamp":1}}'],
  ['cut short', '{"timestamp":1'],
])('a heartbeat that is %s keeps its coordinator, and is named (P4)', async (_, value) => {
  const { url, redis } = server.current;
  const kept = [heartbeatOf('odd'), ...belongingsOf('odd')];
  await writeAll(redis, { ...Object.fromEntries(kept.map((key) => [key, '1'])), [heartbeatOf('odd')]: value });
  await settle(redis, 'stale', 3_600);
  const report = await clean(url);
  expect(await keysIn(redis)).toEqual(kept.sort());
  expect(report.coordinators).toEqual({ checked: 2, active: 0, stale: 1, unreadable: 1, swept: 1, revived: 0 });
  expect(report.unreadable).toEqual([heartbeatOf('odd')]);
});

test('blanks in a heartbeat do not hide its timestamp (P4, P5)', async () => {
  const { url, redis } = server.current;
  await writeAll(redis, { [heartbeatOf('c1')]: ' { "timestamp" : 1 } ', [heartbeatOf('c2')]: '{"timestamp" : "1"}' });
  const report = await clean(url);
  expect(report.coordinators).toMatchObject({ stale: 2, swept: 2, unreadable: 0 });
  expect(await keysIn(redis)).toEqual([]);
});

test('a nested timestamp beside one at the top level does not count, wherever it stands (P4, P5)', async () => {
  const { url, redis } = server.current;
  const now = await nowOf(redis);
  await writeAll(redis, {
    [heartbeatOf('stale')]: `{"last":{"timestamp":${now}},"timestamp":1}`,
    [heartbeatOf('active')]: `{"timestamp":${now},"first":{"timestamp":1}}`,
  });
  await clean(url);
  expect(await keysIn(redis)).toEqual([heartbeatOf('active')]);
});

test('a heartbeat that is a hash, list or set keeps its coordinator (P4)', async () => {
  const { url, redis } = server.current;
  await redis.hset(heartbeatOf('hash'), 'timestamp', '1');
  await redis.rpush(heartbeatOf('list'), '{"timestamp":1}');
  await redis.sadd(heartbeatOf('set'), '{"timestamp":1}');
  const kept = ['hash', 'list', 'set'].flatMap((id) => [heartbeatOf(id), ...belongingsOf(id)]);
  for (const id of ['hash', 'list', 'set'])
    await writeAll(redis, Object.fromEntries(belongingsOf(id).map((key) => [key, '1'])));
  const report = await clean(url);
  expect(report.coordinators).toMatchObject({ checked: 3, unreadable: 3, stale: 0 });
  expect([...report.unreadable].sort()).toEqual(['hash', 'list', 'set'].map((id) => heartbeatOf(id)));
  expect(await keysIn(redis)).toEqual(kept.sort());
});

test('a heartbeat from the future keeps its coordinator (P4)', async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'ahead', -86_400);
  const report = await clean(url);
  expect(report.coordinators).toMatchObject({ unreadable: 1, stale: 0 });
  expect(await keysIn(redis)).toEqual(kept.sort());
});

test('the keys of a coordinator may be of any type; they all go (P4 is about heartbeats only)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'c1', 3_600);
  await redis.hset('blocking:ack:c1:hash', 'a', 'b');
  await redis.xadd('blocking:ack:c1:stream', '*', 'a', 'b');
  await redis.zadd('blocking:idempotency:c1:zset', 1, 'a');
  const report = await clean(url);
  expect(report.keys.deleted).toBe(10);
  expect(await keysIn(redis)).toEqual([]);
});

test('the report names the first 20 unreadable heartbeats and counts them all (P4)', async () => {
  const { url, redis } = server.current;
  await writeAll(redis, Object.fromEntries(Array.from({ length: 25 }, (_, i) => [heartbeatOf(`c${i}`), '{}'])));
  const report = await clean(url);
  expect(report.coordinators.unreadable).toBe(25);
  expect(report.unreadable).toHaveLength(20);
  expect(new Set(report.unreadable).size).toBe(20);
});
