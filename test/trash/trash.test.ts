import { expect, test } from 'vitest';
import { Trash, readTrashName } from '../../src/redis/trash/names.ts';
import { Bulk } from '../../src/redis/call/bulk.ts';
import { ConnectionLost } from '../../src/redis/call/lost.ts';
import { aclLine } from '../../src/redis/rights/permissions.ts';
import { restore } from '../../src/restore/restore.ts';
import { ledgerIn } from '../support/pastRuns.ts';
import { type CleanOptions, clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { allSwept, populate } from '../support/populate.ts';
import { addUser, STRATEGIES, urlFor } from '../support/users.ts';
import { belongingsOf, everythingOf, heartbeatOf, keysIn, settle, STALE, writeAll } from '../support/world.ts';
import { allKeys, differences } from './keys.ts';

const server = useRedis();
const KEPT = { trash: '1h' };
/** What goes without scripts, and may fill the trash and empty it. */
const MORE = ['+renamenx', '+pexpire', '+persist', '+set', '+pttl'];

async function urlOf(rules: readonly string[] | null) {
  return await urlFor(server.current, rules === null ? null : [...rules, ...MORE]);
}

async function sweep(options: CleanOptions = {}) {
  return await clean(server.current.url, { settings: KEPT, ...options });
}
function target(url = server.current.url) {
  return targetOf(url, KEPT);
}
function idOf(text: string) {
  return { coordinator: Buffer.from(text) };
}

/** What lies in the trash, by the names it had. */
async function trashed(): Promise<string[]> {
  return (await server.current.redis.keysBuffer('stalesweep:trash:*'))
    .map((key) => readTrashName(key)?.name.toString('latin1') ?? '?')
    .sort();
}

test.each(STRATEGIES)(
  'gives back what thousands of coordinators left by %s, byte for byte and to the second',
  async (strategy, rules) => {
    const { redis, url } = server.current;
    const [many, stale] = strategy === 'script' ? [3_000, 2_900] : [1_000, 900];
    await populate({ REDIS_URL: url }, many, stale);
    const startedAt = performance.now();
    const before = await allKeys(redis);
    const user = await urlOf(rules);
    const report = await clean(user, { settings: KEPT });
    expect(report.strategy).toBe(strategy);
    expect(report.coordinators).toEqual(allSwept(many, stale));
    const left = await allKeys(redis);
    expect(report.keys.deleted).toBe(before.size - left.size);
    expect(report.keys.trashed).toBe(report.keys.deleted);
    expect(report.redis.memoryFreedBytes).toBe(0);

    const expected = { restored: report.keys.trashed, heartbeats: stale, existing: [], expired: 0 };
    expect(await restore(target(user), { run: 'test-run' }, { heartbeats: true })).toEqual(expected);
    expect(differences(before, await allKeys(redis), performance.now() - startedAt)).toEqual([]);
    expect(await trashed()).toEqual([]);
  },
  300_000,
);

test.each(STRATEGIES)('brings nothing back over what exists again, by %s', async (_, rules) => {
  const { redis } = server.current;
  const url = await urlOf(rules);
  const keys = await settle(redis, 'c1', STALE + 10);
  await clean(url, { settings: KEPT });
  const [signal = ''] = belongingsOf('c1');
  await redis.set(signal, 'written anew', 'PX', 50_000);

  const back = await restore(target(url), idOf('c1'));
  expect(back).toEqual({ restored: keys.length - 2, heartbeats: 0, existing: [signal], expired: 0 });
  expect(await redis.get(signal)).toBe('written anew');
  expect(await redis.pttl(signal)).toBeGreaterThan(0);
  expect(await redis.exists(heartbeatOf('c1'))).toBe(0);
  expect(await trashed()).toEqual([signal, heartbeatOf('c1')].sort());
  for (const key of await redis.keys('stalesweep:trash:*')) expect(await redis.pttl(key)).toBeGreaterThan(3_000_000);
});

test.each(STRATEGIES)('says what has expired by its own time to live, by %s', async (_, rules) => {
  const { redis } = server.current;
  const url = await urlOf(rules);
  await settle(redis, 'c1', STALE + 10);
  const [signal = '', ack = ''] = belongingsOf('c1');
  await redis.pexpire(ack, 2_000_000);
  await redis.pexpire(signal, 30_000);
  await clean(url, { settings: KEPT });
  // As if so much time had passed: what tells the age of a thing is what is left of its time in the trash.
  const things = await redis.keys('stalesweep:trash:*');
  for (const thing of things) await redis.pexpire(thing, (await redis.pttl(thing)) - 1_000_000);

  const back = await restore(target(url), idOf('c1'));
  expect(back).toMatchObject({ existing: [], expired: 1 });
  expect(await redis.exists(signal)).toBe(0);
  expect(await redis.pttl(ack)).toBeGreaterThan(990_000);
  expect(await redis.pttl(ack)).toBeLessThanOrEqual(1_000_000);
});

test('takes ids literally and as whole segments, and whatever names them', async () => {
  const { redis, url } = server.current;
  const shared = 'blocking:idempotency:c1:c10:done:1:2';
  const strange = await Promise.all(['c1', 'c10', 'c*', 'c?', '[c]1', 'ü'].map((id) => settle(redis, id, STALE + 10)));
  await writeAll(redis, { [shared]: '1' });
  await sweep();
  const all = strange.flat().length + 1;
  expect(await trashed()).toHaveLength(all);
  const dry = await restore(target(), { run: 'test-run' }, { heartbeats: true, dryRun: true });
  expect(dry, 'a dry run counts').toEqual({ restored: all, heartbeats: strange.length, existing: [], expired: 0 });
  expect(await trashed()).toHaveLength(all);

  await restore(target(), idOf('c*'));
  expect(await keysIn(redis)).toEqual(expect.arrayContaining(belongingsOf('c*')));
  expect(await redis.exists(...belongingsOf('c1'))).toBe(0);
  await restore(target(), idOf('ü'), { heartbeats: true });
  expect(await redis.exists(...everythingOf('ü'))).toBe(7);
  await restore(target(url), idOf('c1'), { heartbeats: true });
  expect(await redis.exists(...everythingOf('c1'), shared)).toBe(8);
  expect(await redis.exists(...everythingOf('c10'))).toBe(0);
});

test('a heartbeat that is back ends the horizon that stands, and nothing else does', async () => {
  const { redis } = server.current;
  await settle(redis, 'c1', STALE + 10);
  await sweep();
  const ledger = ledgerIn(redis);
  const horizons = ledger.horizonsOf(target());
  const stands = {
    ...{ basis: '', beganSeconds: 1, lookedSeconds: 1, restSeconds: 1 },
    ttlSeconds: null,
    ttlSeenSeconds: 1,
  };
  await horizons.keep({ ...stands, sighted: false, keys: 0, expiring: 0, listed: [] });
  await restore(target(), idOf('c1'), { ledger, heartbeats: true, dryRun: true });
  await restore(target(), idOf('c1'), { ledger });
  expect(await horizons.standing()).not.toBeNull();
  await restore(target(), idOf('c1'), { ledger, heartbeats: true });
  expect(await redis.exists(heartbeatOf('c1'))).toBe(1);
  expect(await horizons.standing()).toBeNull();
});

test('never takes what is in the trash, and counts none of it (P8)', async () => {
  const { redis } = server.current;
  const schema = { heartbeat: '{coordinator}:beat', things: ['{coordinator}:*', '*:{coordinator}:thing'] };
  const settings = { ...KEPT, schema: 'wide', schemas: { wide: schema }, orphans: ['things'] };
  const silent = JSON.stringify({ timestamp: Date.now() - 3_600_000 });
  await writeAll(redis, { 'c1:beat': silent, 'c1:one': '1', 'x:c1:thing': '1' });
  expect((await sweep({ settings })).keys).toMatchObject({ deleted: 3, trashed: 3 });
  const before = await redis.keys('*');
  await writeAll(redis, { 'c2:beat': silent });
  const again = await sweep({ settings });
  expect(again.coordinators.checked).toBe(1);
  expect(again.keys).toMatchObject({ found: 1, deleted: 1, orphans: 0 });
  expect(await redis.keys('*')).toEqual(expect.arrayContaining(before));
});

test('lets go of all of it after its time', async () => {
  const { redis } = server.current;
  await settle(redis, 'c1', STALE + 10);
  await sweep({ settings: { trash: '1s' } });
  await expect.poll(() => redis.dbsize()).toBe(0);
});

test('a dry run moves nothing (P7)', async () => {
  const keys = await settle(server.current.redis, 'c1', STALE + 10);
  const report = await sweep({ dryRun: true });
  expect(await restore(target(), { run: 'test-run' }, { heartbeats: true })).toMatchObject({ restored: 0 });
  expect(report.keys).toMatchObject({ found: 7, deleted: 0, trashed: 0 });
  expect(await keysIn(server.current.redis)).toEqual([...keys].sort());
});

test.each(['script', 'transaction'] as const)(
  'what doctor prints is enough for a run by %s and to restore',
  async (way) => {
    const { redis } = server.current;
    for (const announce of [{ channel: 'swept' }, { stream: 'swept' }]) {
      await redis.flushall();
      const keys = await settle(redis, 'c1', STALE + 10);
      const settings = { ...KEPT, announce };
      const [, , , , , ...rights] = aclLine(targetOf('redis://localhost', settings), way).split(' ');
      const url = await addUser(server.current, rights);
      const report = await clean(url, { settings });
      expect(report).toMatchObject({ strategy: way, keys: { trashed: keys.length } });
      const back = await restore(targetOf(url, settings), idOf('c1'), { heartbeats: true });
      expect(back.restored).toBe(keys.length);
    }
  },
);

test('a user who may not rename is told so before anything is removed', async () => {
  const keys = await settle(server.current.redis, 'c1', STALE + 10);
  const url = await addUser(server.current, ['~*', '&*', '+@all', '-renamenx']);
  await expect(clean(url, { settings: KEPT })).rejects.toThrow(/may not run RENAMENX; grant it \+renamenx/);
  expect(await server.current.redis.exists(...keys)).toBe(keys.length);
});

test('orphans go to the trash as well', async () => {
  const { redis } = server.current;
  await settle(redis, 'c1', 1);
  await redis.set('blocking:ack:nobody:1', 'a value that is no small number', 'PX', 5_000_000);
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const dump = await redis.dumpBuffer('blocking:ack:nobody:1');
  await redis.call('RESTORE', 'blocking:ack:nobody:1', '5000000', dump, 'REPLACE', 'IDLETIME', '5000');
  const report = await sweep({ settings: { ...KEPT, orphans: ['ack'] } });
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  expect(report.keys).toMatchObject({ deleted: 1, trashed: 1 });
  expect(await restore(target(), idOf('nobody'))).toEqual({ restored: 1, heartbeats: 0, existing: [], expired: 0 });
  expect(await redis.pttl('blocking:ack:nobody:1')).toBeGreaterThan(4_900_000);
});

test.each(STRATEGIES)('answers that are lost change nothing in what is there and counted, by %s', async (_, rules) => {
  const { redis } = server.current;
  const before: string[] = [];
  for (let c = 0; c < 40; c++) before.push(...(await settle(redis, `c${c}`, STALE + 10)));
  let calls = 0;
  const report = await clean(await urlOf(rules), {
    settings: { ...KEPT, callBudget: '0.1ms' },
    after: (name) => {
      if ((name === 'evalsha' || name === 'exec') && ++calls % 2 === 0) throw new ConnectionLost(null);
    },
  });
  expect(calls).toBeGreaterThan(2);
  expect(report.coordinators).toMatchObject({ stale: 40, swept: 40, revived: 0 });
  expect(await trashed()).toEqual([...before].sort());
  const back = await restore(target(), { run: 'test-run' }, { heartbeats: true });
  expect(back.restored).toBe(before.length);
  expect((await keysIn(redis)).filter((key) => !key.startsWith('stalesweep:'))).toEqual([...before].sort());
});

test('names in the trash say what they hold, and share the slot of what had the name', () => {
  const trash = new Trash(1_000, 'a:strange {run}*', 1_760_000_000);
  const names = ['plain', '{tag}:x', 'x{tag}y', '{}empty', 'a}b', '{whole}', '', 'ü\u0000\r\n'].map((name) =>
    Buffer.from(name).toString('latin1'),
  );
  const { names: given, ttls } = trash.send([Bulk.of(names.slice(0, 3)), Bulk.of(names.slice(3))]);
  const keys = given.texts().map((key) => Buffer.from(key, 'latin1'));
  const read = keys.map(readTrashName);
  expect(read.map((one) => one?.name.toString('latin1'))).toEqual(names);
  expect(read.map((one) => one?.position)).toEqual(names.map((_, i) => i));
  expect(new Set(read.map((one) => one?.run))).toEqual(new Set(['a%3Astrange%20%7Brun%7D%2A']));
  expect(ttls.startsWith('stalesweep:trash-ttl:')).toBe(true);
  // What Redis Cluster takes of a name for its slot.
  const tagOf = (name: string) => /^[^{]*\{([^}]+)\}/s.exec(name)?.[1] ?? name;
  for (const [i, key] of keys.entries()) {
    const name = names[i] ?? '';
    if (/^[^{]*}|^\{}|^$/.test(name)) continue;
    expect(tagOf(key.toString('latin1')), name).toBe(tagOf(name));
  }
});
