/** P6 by bytes: values count by what they weigh, wherever they travel. */
import { expect, test } from 'vitest';
import { Bulk } from '../../src/redis/call/bulk.ts';
import { restore } from '../../src/restore/restore.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { heartbeatOf, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const MEGABYTE = 1_000_000;

/** A heartbeat of long ago that weighs so much. */
async function heavy(bytes: number): Promise<string> {
  return JSON.stringify({ timestamp: (await nowOf(server.current.redis)) - 3_600_000, pad: 'x'.repeat(bytes) });
}

/** The most bytes that one reading brought, and that one removal carried; and how many removals there were. */
async function weigh(settings: object = {}) {
  const most = { read: 0, sent: 0, removals: 0 };
  const report = await clean(server.current.url, {
    settings,
    before: (name, args) => {
      if (name !== 'evalsha' && name !== 'eval') return;
      most.removals++;
      const bytes = args.map((arg) => (arg instanceof Bulk ? arg.bytes.length : String(arg).length));
      most.sent = Math.max(most.sent, ...[bytes.reduce((sum, one) => sum + one, 0)]);
    },
    after: (name, reply) => {
      if (name !== 'mget' || !Array.isArray(reply)) return;
      const bytes = reply.reduce<number>((sum, value) => sum + (value instanceof Buffer ? value.length : 0), 0);
      most.read = Math.max(most.read, bytes);
    },
  });
  return { report, most };
}

test('heartbeats of a megabyte are read in bounded calls, and prove themselves by their digest', async () => {
  const { redis } = server.current;
  const value = await heavy(MEGABYTE);
  const world: Record<string, string> = {};
  for (let i = 0; i < 40; i++) {
    world[heartbeatOf('leader', `s${i}`)] = value;
    world[`swarm:s${i}:agent:leader:activity`] = '1';
  }
  world['blocking:signal:leader'] = '1';
  await writeAll(redis, world);
  const { report, most } = await weigh();
  expect(report.coordinators).toMatchObject({ stale: 40, swept: 40 });
  expect(await keysIn(redis)).toEqual([]);
  // The very first call can't know.
  expect(most.read).toBeLessThanOrEqual(2.1 * MEGABYTE);
  expect(most.sent).toBeLessThanOrEqual(MEGABYTE / 4);
});

test('a large heartbeat beside thousands of keys is proved once a call, whose size it does not swell', async () => {
  const { redis } = server.current;
  const world: Record<string, string> = { [heartbeatOf('c1')]: await heavy(MEGABYTE) };
  for (let i = 0; i < 5_000; i++) world[`blocking:ack:c1:${i}`] = '1';
  await writeAll(redis, world);
  const { report, most } = await weigh();
  expect(report.keys).toMatchObject({ deleted: 5_001 });
  expect(most.sent).toBeLessThanOrEqual(MEGABYTE / 2);
  // 5,000 keys, at least 100 with each proof.
  expect(most.removals).toBeLessThanOrEqual(55);
});

test('one large heartbeat among thousands of small ones slows no reading of the others', async () => {
  const { redis } = server.current;
  const small = await heavy(10);
  const world: Record<string, string> = { [heartbeatOf('c-large')]: await heavy(MEGABYTE) };
  for (let i = 0; i < 3_000; i++) world[heartbeatOf(`c${i}`)] = small;
  await writeAll(redis, world);
  let readings = 0;
  const report = await clean(server.current.url, { before: (name) => void (name === 'mget' && readings++) });
  expect(report.coordinators.swept).toBe(3_001);
  expect(readings).toBeLessThanOrEqual(120);
});

test('keys whose names are of 100 kB go in bounded calls, and come back from the trash in such', async () => {
  const { redis, url } = server.current;
  const LONG = 100_000;
  const world: Record<string, string> = {};
  for (const id of ['c1', 'c2', 'c3']) world[heartbeatOf(id)] = await heavy(0);
  for (let i = 0; i < 60; i++) world[`blocking:ack:c${1 + (i % 3)}:${i}${'n'.repeat(LONG)}`] = '1';
  await writeAll(redis, world);
  const { report, most } = await weigh({ trash: '1h' });
  expect(report.keys.deleted).toBe(63);
  // All of them are six megabytes, and travel with their names in the trash.
  expect(most.sent).toBeLessThanOrEqual(MEGABYTE);
  await restore(targetOf(url), { run: report.run }, { heartbeats: true });
  expect((await keysIn(redis)).filter((name) => !name.startsWith('stalesweep:'))).toEqual(Object.keys(world).sort());
});
