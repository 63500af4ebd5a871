import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, keysIn, settle, writeAll } from '../support/world.ts';

const server = useRedis();
const SILENT = 3_600;

async function populate(): Promise<void> {
  const { redis } = server.current;
  for (let i = 0; i < 40; i++) await settle(redis, `c${i}`, i % 4 === 0 ? ACTIVE : SILENT, `s${i % 3}`);
  await settle(redis, 'twice', SILENT, 'a');
  await settle(redis, 'twice', ACTIVE, 'b');
  await writeAll(redis, {
    'blocking:idempotency:c1:c2:update:1:2': '1',
    'blocking:idempotency:c1:c4:update:1:2': '1',
    'blocking:ack:nobody:1': '1',
    'blocking:signal:nobody': '1',
  });
}

/** A user who may read and nothing else. */
async function addReader(rules: readonly string[]): Promise<string> {
  const { redis, port } = server.current;
  await redis.call('ACL', 'SETUSER', 'reader', 'reset', 'on', '>secret', '~*', ...rules);
  return `redis://reader:secret@127.0.0.1:${port}`;
}

test.each([
  ['the keys of the schema', {}],
  ['with orphans swept as well', { orphans: ['ack', 'signal'] }],
  ['with orphans of families whose names can be derived', { orphans: ['state', 'activity', 'signal'] }],
])('a dry run counts what a real run reaches: %s (P7)', async (_, settings) => {
  await populate();
  const { url, redis } = server.current;
  const before = await keysIn(redis);
  const dry = await clean(url, { settings, dryRun: true });
  expect(await keysIn(redis)).toEqual(before);
  const real = await clean(url, { settings });

  expect(dry).toMatchObject({ dryRun: true, outcome: 'completed', chunks: 0 });
  expect(dry.keys).toEqual({ ...real.keys, deleted: 0 });
  expect(dry.coordinators).toEqual({ ...real.coordinators, swept: 0 });
  expect(real.keys.deleted).toBe(before.length - (await keysIn(redis)).length);
});

test('a dry run passes under a user without write commands, a real run does not (P7)', async () => {
  await populate();
  const { redis } = server.current;
  const url = await addReader(['+@read', '+info', '+time', '+ping', '+client', '-@write']);
  const settings = { orphans: ['ack', 'signal'] };
  const before = await keysIn(redis);
  const dry = await clean(url, { settings, dryRun: true });
  expect(dry).toMatchObject({ outcome: 'completed', keys: { deleted: 0 } });
  expect(dry.keys.found).toBeGreaterThan(100);
  await expect(clean(url, { settings })).rejects.toThrow(/NOPERM|may not|permission/i);
  expect(await keysIn(redis)).toEqual(before);
});

test('a dry run changes no value, no expiry and no idle time (P7)', async () => {
  const { url, redis } = server.current;
  await redis.set('blocking:ack:nobody:1', 'v', 'EX', 500);
  await redis.set('blocking:ack:nobody:2', 'v');
  const [payload] = [await redis.dumpBuffer('blocking:ack:nobody:2')];
  await redis.call('RESTORE', 'blocking:ack:nobody:3', '0', payload, 'IDLETIME', '1000');
  await settle(redis, 'c1', SILENT);
  const report = await clean(url, { dryRun: true, settings: { orphans: ['ack'] } });
  expect(report.keys).toMatchObject({ orphans: 3, deleted: 0 });
  expect(await redis.ttl('blocking:ack:nobody:1')).toBeGreaterThan(490);
  expect(await redis.object('IDLETIME', 'blocking:ack:nobody:3')).toBeGreaterThanOrEqual(1_000);
});
