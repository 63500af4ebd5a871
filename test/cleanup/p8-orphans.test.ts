import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, beat, heartbeatOf, keysIn, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();

/** A key that nobody has touched for so long. Its value is no small number: those share one object, and its idle time. */
async function idle(key: string, seconds: number): Promise<void> {
  const { redis } = server.current;
  await redis.set('template', 'value');
  const payload = await redis.dumpBuffer('template');
  await redis.del('template');
  await redis.call('RESTORE', key, '0', payload, 'REPLACE', 'IDLETIME', String(seconds));
}

const ORPHANS = ['blocking:ack:nobody:1', 'blocking:ack:nobody:2', 'blocking:idempotency:nobody:x'];

test('keys of nobody with a heartbeat are counted, and stay (P11)', async () => {
  const { url, redis } = server.current;
  for (const key of [...ORPHANS, 'blocking:signal:nobody']) await idle(key, 100_000);
  const report = await clean(url);
  expect(report.keys).toEqual({
    found: 0,
    deleted: 0,
    orphans: 3,
    kept: 0,
    byFamily: { heartbeat: 0, signal: 0, ack: 0, idempotency: 0, activity: 0, state: 0 },
  });
  expect(await keysIn(redis)).toEqual([...ORPHANS, 'blocking:signal:nobody'].sort());
});

test('only orphans of listed families go, and only once idle for longer than the threshold (P11)', async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'c1', ACTIVE);
  await idle('blocking:ack:idle:1', 700);
  await idle('blocking:ack:below:1', 500);
  await idle('blocking:ack:fresh:1', 0);
  await idle('blocking:signal:idle', 700);
  await idle('blocking:idempotency:idle:x', 700);
  const settings = { orphans: ['ack', 'signal'] };
  const report = await clean(url, { settings });
  expect(report.keys).toMatchObject({ deleted: 2, found: 2, byFamily: { ack: 1, signal: 1, idempotency: 0 } });
  const left = ['blocking:ack:below:1', 'blocking:ack:fresh:1', 'blocking:idempotency:idle:x', ...kept];
  expect(await keysIn(redis)).toEqual(left.sort());
});

test('time in which nobody could touch a key does not count as idle (P10, P11)', async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'c1', ACTIVE);
  await idle('blocking:ack:before:1', 900);
  await idle('blocking:ack:while:1', 700);
  const outages = (nowMs: number) => [{ fromAt: nowMs - 800_000, toAt: nowMs - 550_000 }];
  const settings = { orphans: ['ack'] };
  const dry = await clean(url, { settings, outages, dryRun: true });
  expect(dry.keys).toMatchObject({ orphans: 2, byFamily: { ack: 1 } });
  const report = await clean(url, { settings, outages });
  expect(report.keys).toMatchObject({ orphans: 2, deleted: 1 });
  expect(await keysIn(redis)).toEqual(['blocking:ack:while:1', ...kept].sort());
});

test('a run that met no heartbeat at all sweeps no orphan, and says so: a mistyped template looks just like that (P8)', async () => {
  const { url, redis } = server.current;
  await idle('blocking:ack:idle:1', 700);
  const warnings: string[] = [];
  const report = await clean(url, {
    settings: { orphans: ['ack'] },
    observer: { warn: (text) => warnings.push(text) },
  });
  expect(report.keys).toMatchObject({ orphans: 1, deleted: 0 });
  expect(warnings.join()).toContain('orphans are kept: this run met no heartbeat at all');
  expect(await keysIn(redis)).toEqual(['blocking:ack:idle:1']);
});

test('orphans of families with a swarm in their names go when listed (P11)', async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'c1', ACTIVE, 's1');
  await idle('swarm:s2:agent:c1:activity', 700);
  await idle('swarm:s2:blocking:gone', 700);
  await clean(url, { settings: { orphans: ['activity', 'state'] } });
  expect(await keysIn(redis)).toEqual(kept.sort());
});

test('an idle key of an active or unreadable coordinator is no orphan (P2, P11)', async () => {
  const { url, redis } = server.current;
  await writeAll(redis, { [heartbeatOf('odd')]: '{}', [heartbeatOf('active')]: beat(await nowOf(redis)) });
  for (const id of ['odd', 'active']) await idle(`blocking:ack:${id}:1`, 100_000);
  await idle('blocking:idempotency:nobody:active', 100_000);
  const before = await keysIn(redis);
  const report = await clean(url, { settings: { orphans: ['ack', 'idempotency', 'signal'] } });
  expect(report.keys).toMatchObject({ orphans: 0, deleted: 0 });
  expect(await keysIn(redis)).toEqual(before);
});

test('an orphan whose coordinator is born before it goes stays (P1, P11)', async () => {
  const { url, redis } = server.current;
  await redis.set('blocking:heartbeat:other', beat(await nowOf(redis)));
  await idle('blocking:ack:born:1', 700);
  await idle('blocking:ack:gone:1', 700);
  let born: Promise<unknown> | undefined;
  const report = await clean(url, {
    settings: { schema: 'flat', orphans: ['ack'] },
    before: async (name) => {
      if (name === 'evalsha') born ??= redis.set('blocking:heartbeat:born', beat(await nowOf(redis)));
      await born;
    },
  });
  expect(report.keys.deleted).toBe(1);
  expect(await keysIn(redis)).toEqual(['blocking:ack:born:1', 'blocking:heartbeat:born', 'blocking:heartbeat:other']);
});

test('an orphan that is used again before it goes stays (P11)', async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'c1', ACTIVE);
  await idle('blocking:ack:gone:1', 700);
  await clean(url, {
    settings: { orphans: ['ack'] },
    before: (name) => (name === 'evalsha' ? redis.get('blocking:ack:gone:1') : undefined),
  });
  expect(await keysIn(redis)).toEqual(['blocking:ack:gone:1', ...kept].sort());
});

test('under an LFU policy orphans stay, with a warning, and the run goes on (P11)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'c1', 3_600);
  await idle('blocking:ack:gone:1', 700);
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lfu');
  const warnings: string[] = [];
  try {
    const report = await clean(url, {
      settings: { orphans: ['ack'] },
      observer: { warn: (text) => warnings.push(text) },
    });
    expect(report.coordinators.swept).toBe(1);
  } finally {
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
  }
  expect(warnings.join()).toMatch(/LFU/);
  expect(await keysIn(redis)).toEqual(['blocking:ack:gone:1']);
});

test('an orphan stays whose owner beats under a name that a run takes for its own, and the run ends', async () => {
  const { url, redis } = server.current;
  const now = await nowOf(redis);
  await writeAll(redis, { 'a:beat': beat(now), 'stalesweep:beat': beat(now) });
  for (const key of ['mail:to:stalesweep', 'mail:to:nobody']) await idle(key, 700);
  const schemas = { mine: { heartbeat: '{coordinator}:beat', mail: 'mail:*:{coordinator}' } };
  const report = await clean(url, { settings: { schema: 'mine', schemas, orphans: ['mail'] } });
  expect(report.keys).toMatchObject({ deleted: 1, orphans: 2 });
  expect(await keysIn(redis)).toEqual(['a:beat', 'mail:to:stalesweep', 'stalesweep:beat']);
});

const FOREIGN = [
  'swarm:s1:blocking:heartbeat:c1:',
  'swarm:s1:heartbeat:c1',
  'swarm:s1:x:blocking:heartbeat:c2',
  'xswarm:s1:blocking:c1',
  'Swarm:s1:blocking:c1',
  'blocking:signal:c1:',
  'blocking:signals:c1',
  'blocking:ack:c1',
  'blocking:acks:c1:1',
  'myblocking:ack:c1:1',
  'blocking:idempotencyc1',
  'blocking:idempotency',
  'blocking:heartbeat:c1',
  'blocking:state:c1',
  'coordinator:activity:c1',
  'swarm:s1:agent:c1:activity:extra',
  'swarm:s1:agent:c1',
  'swarm::agent:c1:activity',
  'blocking:ack::1',
  'c1',
  '',
];

test('look-alikes outside the schema are never touched (P8)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'c1', 3_600);
  await writeAll(redis, Object.fromEntries(FOREIGN.map((key) => [key, beat(1e12)])));
  const report = await clean(url, { settings: { orphans: ['ack', 'signal', 'idempotency', 'activity', 'state'] } });
  expect(report.keys.deleted).toBe(7);
  expect(await keysIn(redis)).toEqual([...FOREIGN].sort());
});

test('other databases are never touched (P8)', async () => {
  const { url, redis } = server.current;
  await redis.select(1);
  const kept = await settle(redis, 'c1', 3_600);
  await redis.select(0);
  await settle(redis, 'c1', 3_600);
  await clean(url);
  expect(await keysIn(redis)).toEqual([]);
  await redis.select(1);
  expect(await keysIn(redis)).toEqual(kept.sort());
  await redis.select(0);
});
