import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, belongingsOf, heartbeatOf, keysIn, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();

/** What may stand in the heartbeat of somebody who beat just now, at `at` ms, but can't be read, and why. */
const UNREADABLE: readonly (readonly [why: string, name: string, value: (at: number) => string])[] = [
  ['not-json', 'word', () => 'gone'],
  ['not-json', 'empty', () => ''],
  ['not-json', 'cut', (at) => `{"timestamp":${at}`],
  ['not-json', 'array', (at) => `[{"timestamp":${at}}]`],
  ['not-json', 'bare', (at) => `${at}`],
  ['not-json', 'nan', () => '{"timestamp":NaN}'],
  ['no-time', 'nested', (at) => `{"coordinatorId":"c","meta":{"timestamp":${at}}}`],
  ['no-time', 'none', () => '{}'],
  ['no-time', 'null', (at) => `{"timestamp":null,"lastHeartbeat":${at}}`],
  ['no-time', 'void', () => '{"timestamp":""}'],
  ['no-time', 'prototype', () => '{"__proto__":{"timestamp":1}}'],
  ['no-time', 'infinite', () => '{"timestamp":1e400}'],
  ['wrong-unit', 'seconds', (at) => `{"timestamp":${at / 1000}}`],
  ['wrong-unit', 'float', (at) => `{"timestamp":${at / 1000 + 0.25}}`],
  ['wrong-unit', 'text', (at) => `{"timestamp":"${at / 1000}"}`],
  ['wrong-unit', 'last', (at) => `{"lastHeartbeat":${at / 1000}}`],
  ['wrong-unit', 'date', (at) => `{"timestamp":"${new Date(at / 1000).toISOString()}"}`],
  ['wrong-unit', 'zero', () => '{"timestamp":0}'],
  ['wrong-unit', 'zeroText', () => '{"timestamp":"0"}'],
  ['wrong-unit', 'negative', (at) => `{"timestamp":${-at}}`],
  ['wrong-unit', 'negativeText', (at) => `{"timestamp":"${-at}"}`],
  ['wrong-unit', 'least', () => '{"timestamp":999999999999}'],
  ['future', 'micros', (at) => `{"timestamp":${at * 1000}}`],
  ['future', 'tomorrow', (at) => `{"timestamp":${at + 86_400_000}}`],
  ['no-zone', 'local', (at) => `{"timestamp":"${new Date(at).toISOString().slice(0, -1)}"}`],
];

const TYPES = ['hash', 'list', 'set', 'zset', 'stream'] as const;

function namesIn(report: Report): Record<string, string[]> {
  return Object.fromEntries(report.unreadable.map(({ why, sample }) => [why, [...sample].sort()]));
}

describe.each(STRATEGIES)('by %s', (strategy, rules) => {
  test('whoever lives and writes what can not be read loses nothing, and is named by reason; the stale one beside goes (P1, P4)', async () => {
    const { redis } = server.current;
    const now = await nowOf(redis);
    const kept: string[] = [];
    const values: Record<string, string> = {};
    const expected: Record<string, string[]> = {};
    const keep = (why: string, id: string) => {
      for (const key of belongingsOf(id)) values[key] = '1';
      kept.push(heartbeatOf(id), ...belongingsOf(id));
      expected[why] = [...(expected[why] ?? []), heartbeatOf(id)];
    };
    for (const [why, id, value] of UNREADABLE) {
      keep(why, id);
      values[heartbeatOf(id)] = value(now);
    }
    for (const type of TYPES) keep('wrong-type', type);
    await writeAll(redis, values);
    await redis.hset(heartbeatOf('hash'), 'timestamp', '1');
    await redis.rpush(heartbeatOf('list'), '{"timestamp":1}');
    await redis.sadd(heartbeatOf('set'), '{"timestamp":1}');
    await redis.zadd(heartbeatOf('zset'), 1, 'timestamp');
    await redis.xadd(heartbeatOf('stream'), '*', 'timestamp', '1');
    await settle(redis, 'stale', 3_600);
    const report = await clean(await urlFor(server.current, rules));
    expect(await keysIn(redis)).toEqual(kept.sort());
    const unreadable = UNREADABLE.length + TYPES.length;
    const counts = { active: 0, stale: 1, unreadable, held: 0, protected: 0, lapsed: 0, swept: 1, revived: 0 };
    expect(report.coordinators).toEqual({ checked: unreadable + 1, ...counts });
    expect(report.strategy).toBe(strategy);
    for (const names of Object.values(expected)) names.sort();
    expect(namesIn(report)).toEqual(expected);
    expect(report.unreadable.map(({ why }) => why)).toEqual([
      'not-json',
      'no-time',
      'wrong-unit',
      'future',
      'wrong-type',
      'no-zone',
    ]);
    expect(report.unreadable.map(({ count }) => count)).toEqual([6, 6, 10, 2, 5, 1]);
  });
});

test.each(['', ':', 'team:7', 'a::b'])(
  'who beats where %j should be a swarm, which it is not, can not be judged, and keeps what names none (P1, P4)',
  async (swarm) => {
    const { url, redis } = server.current;
    const stale = await settle(redis, 'c', 3_600);
    const [heartbeat, state, activity] = [
      heartbeatOf('c', swarm),
      `swarm:${swarm}:blocking:c`,
      `swarm:${swarm}:agent:c:activity`,
    ];
    await writeAll(redis, { [heartbeat]: beat(await nowOf(redis)), [state]: '1', [activity]: '1' });
    const report = await clean(url);
    const kept = stale.filter((key) => key.startsWith('blocking:'));
    expect(await keysIn(redis)).toEqual([heartbeat, state, activity, ...kept].sort());
    expect(report.coordinators).toMatchObject({ checked: 2, stale: 1, swept: 1, unreadable: 1 });
    expect(namesIn(report)).toEqual({ 'id-shape': [heartbeat] });
  },
);

test('a word that no id begins with makes no other swarm of the one before it (P4)', async () => {
  const { url, redis } = server.current;
  const schemas = {
    mine: { ids: { never: ['ping'] }, heartbeat: 'w:{swarm}:beat:{coordinator}', notes: 'notes:{coordinator}' },
  };
  const others = ['w:s1:beat:ping', 'w:s1:beat:ping:beat:c', 'w:s1:beat'];
  await writeAll(redis, {
    'w:s1:beat:c': beat((await nowOf(redis)) - 3_600_000),
    'notes:c': '1',
    ...Object.fromEntries(others.map((name) => [name, '1'])),
  });
  const report = await clean(url, { settings: { schema: 'mine', schemas } });
  expect(report.coordinators).toMatchObject({ checked: 1, swept: 1 });
  expect(await keysIn(redis)).toEqual(others.sort());
});

test('who beats in a swarm of several segments keeps the heartbeat that another family names by no word of its own (P1, P4)', async () => {
  const { url, redis } = server.current;
  const schemas = {
    mine: { ids: { never: ['beat'] }, heartbeat: 'w:{swarm}:beat:{coordinator}', remains: 'w:{swarm}:{coordinator}:*' },
  };
  const now = await nowOf(redis);
  const lives = 'w:team:7:beat:c';
  await writeAll(redis, { 'w:team:beat:7': beat(now - 3_600_000), 'w:team:7:mail:1': '1', [lives]: beat(now) });
  const report = await clean(url, { settings: { schema: 'mine', schemas } });
  expect(await keysIn(redis)).toEqual([lives]);
  expect(report.coordinators).toMatchObject({ checked: 2, swept: 1, unreadable: 1 });
});

test.each([
  ['w:{swarm}:{coordinator}:beat', 'notes:{coordinator}', 'w:s1:c:beat', 'w:team:7:c:beat', ['notes:c']],
  [
    'w:{swarm}:beat:{coordinator}',
    'w:{swarm}:{coordinator}:*',
    'w:team:beat:7',
    'w:team:7:beat:c',
    ['w:team:7:c:mail'],
  ],
  ['w:{swarm}:beat:{coordinator}', 'w:{swarm}:{coordinator}', 'w:s1:beat:c', 'w::beat:c', ['w::c']],
])(
  'with heartbeats %j and remains %j who beats in a swarm that is none keeps what lies there, and what names none, though its name reads otherwise, too (P2, P4)',
  async (heartbeat, remains, stale, lives, its) => {
    const { url, redis } = server.current;
    const schemas = { mine: { ids: { never: ['beat'] }, heartbeat, remains } };
    const now = await nowOf(redis);
    await writeAll(redis, { [stale]: beat(now - 3_600_000), [lives]: beat(now) });
    await writeAll(redis, Object.fromEntries(its.map((name) => [name, '1'])));
    const report = await clean(url, { settings: { schema: 'mine', schemas } });
    expect(await keysIn(redis)).toEqual([lives, ...its].sort());
    expect(report.coordinators).toMatchObject({ checked: 2, swept: 1, unreadable: 1 });
  },
);

test('who writes `lastHeartbeat` is judged by it, in ms and in ISO 8601 (P4, P5)', async () => {
  const { url, redis } = server.current;
  const now = await nowOf(redis);
  const last = (at: number | string) => JSON.stringify({ coordinatorId: 'c', lastHeartbeat: at, sequence: 7 });
  await writeAll(redis, {
    [heartbeatOf('active')]: last(now),
    [heartbeatOf('iso')]: last(new Date(now).toISOString()),
    [heartbeatOf('stale')]: last(now - 3_600_000),
    [heartbeatOf('staleIso')]: last(new Date(now - 3_600_000).toISOString()),
    [heartbeatOf('both')]: `{"lastHeartbeat":${now},"timestamp":1000000000000}`,
  });
  const report = await clean(url);
  expect(report.coordinators).toMatchObject({ active: 2, stale: 3, swept: 3, unreadable: 0 });
  expect(await keysIn(redis)).toEqual([heartbeatOf('active'), heartbeatOf('iso')]);
});

test('the least number that can be in ms is stale: 1,000,000,000,000 (P4)', async () => {
  const { url, redis } = server.current;
  await writeAll(redis, { [heartbeatOf('c1')]: beat(1_000_000_000_000), [heartbeatOf('c2')]: beat(999_999_999_999) });
  expect((await clean(url)).coordinators).toMatchObject({ swept: 1, unreadable: 1 });
  expect(await keysIn(redis)).toEqual([heartbeatOf('c2')]);
});

test('blanks in a heartbeat do not hide its timestamp (P4, P5)', async () => {
  const { url, redis } = server.current;
  await writeAll(redis, {
    [heartbeatOf('c1')]: ' { "timestamp" : 1000000000000 } ',
    [heartbeatOf('c2')]: '{"timestamp" : "1000000000000"}',
  });
  const report = await clean(url);
  expect(report.coordinators).toMatchObject({ stale: 2, swept: 2, unreadable: 0 });
  expect(await keysIn(redis)).toEqual([]);
});

test('a nested timestamp beside one at the top level does not count, wherever it stands (P4, P5)', async () => {
  const { url, redis } = server.current;
  const now = await nowOf(redis);
  await writeAll(redis, {
    [heartbeatOf('stale')]: `{"last":{"timestamp":${now}},"timestamp":1000000000000}`,
    [heartbeatOf('active')]: `{"timestamp":${now},"first":{"timestamp":1}}`,
  });
  await clean(url);
  expect(await keysIn(redis)).toEqual([heartbeatOf('active')]);
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

test('the report names the first 10 of each reason and counts them all (P4)', async () => {
  const { url, redis } = server.current;
  const ids = Array.from({ length: 25 }, (_, i) => `c${i}`);
  await writeAll(redis, Object.fromEntries(ids.map((id, i) => [heartbeatOf(id), i < 15 ? '{}' : 'x'])));
  const report = await clean(url);
  expect(report.coordinators.unreadable).toBe(25);
  expect(report.unreadable).toMatchObject([
    { why: 'not-json', count: 10 },
    { why: 'no-time', count: 15 },
  ]);
  for (const { sample } of report.unreadable) expect(new Set(sample).size).toBe(10);
});

test('a heartbeat whose id holds an empty segment is unreadable, and what could be its own stays (P2, P4)', async () => {
  const { redis, url } = server.current;
  await settle(redis, 'a', 3_600);
  const now = await nowOf(redis);
  const kept = {
    [heartbeatOf('a::b')]: beat(now, 'a::b'),
    'blocking:ack:a::b:1': '1',
    'blocking:idempotency:a::b:x': '1',
  };
  await writeAll(redis, kept);
  const report = await clean(url);
  expect(await keysIn(redis)).toEqual(Object.keys(kept).sort());
  expect(report.coordinators).toMatchObject({ stale: 1, swept: 1, unreadable: 1 });
  expect(report.unreadable).toEqual([{ why: 'id-shape', count: 1, sample: [heartbeatOf('a::b')] }]);
});

test('one that comes back while it is asked whether it is still there is as readable as any other (P4)', async () => {
  const { redis } = server.current;
  await settle(redis, 'back', 1);
  const value = String(await redis.get(heartbeatOf('back')));
  let asked = '';
  const report = await clean(server.current.url, {
    before: async (name) => {
      if (name === 'mget' && asked === '') await redis.del(heartbeatOf('back'));
      if (name === 'exists' && asked === 'mget') await redis.set(heartbeatOf('back'), value);
      if (name === 'mget' || name === 'exists') asked += name;
    },
  });
  expect(asked).toMatch(/^mgetexistsmget/);
  expect(report.coordinators).toMatchObject({ checked: 1, active: 1, unreadable: 0 });
});
