import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ANY_SEGMENTS, KeyReader } from '../../src/schema/keyReader.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, beat, belongingsOf, heartbeatOf, keysIn, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();
const SILENT = 3_600;

function idempotency(...segments: string[]): string {
  return `blocking:idempotency:${segments.join(':')}`;
}

/** Puts the keys there, cleans, and tells which of them are left. */
async function leftOf(keys: readonly string[]): Promise<string[]> {
  const { url, redis } = server.current;
  await writeAll(redis, Object.fromEntries(keys.map((key) => [key, '1'])));
  await clean(url);
  return (await keysIn(redis)).filter((key) => keys.includes(key));
}

test('ids are whole segments: stale c1 goes, active c10 beside it stays whole (P2)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'c1', SILENT);
  const kept = await settle(redis, 'c10', ACTIVE);
  await clean(url);
  expect(await keysIn(redis)).toEqual(kept.sort());
});

test.each([
  '*',
  '?',
  'c?',
  '[ab]',
  '[',
  ']',
  '\\',
  'a\\*',
  '^',
  '[^a]',
  'a-z',
  '{c}',
  '%',
  '$1',
  '(.*)',
  'x y',
  "'",
  '"',
])('an id %j is characters, not a pattern: only its own keys go (P2)', async (id) => {
  const { url, redis } = server.current;
  const kept: string[] = [];
  for (const other of ['a', 'b', 'ca', 'c', 'z', 'a*', 'ab', '1']) kept.push(...(await settle(redis, other, ACTIVE)));
  await settle(redis, id, SILENT);
  const report = await clean(url);
  expect(await keysIn(redis)).toEqual(kept.sort());
  expect(report.keys.deleted).toBe(7);
});

test.each(['*', '?', '[a-c]', 'c\\'])(
  'an active id %j keeps its keys beside stale ones it could match (P2)',
  async (id) => {
    const { url, redis } = server.current;
    for (const other of ['a', 'b', 'c']) await settle(redis, other, SILENT);
    const kept = await settle(redis, id, ACTIVE);
    await clean(url);
    expect(await keysIn(redis)).toEqual(kept.sort());
  },
);

test('an id active in one swarm and stale in another keeps what names no swarm, and the swarm it lives in (P2)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'c1', SILENT, 'old');
  await settle(redis, 'c1', ACTIVE, 'new');
  const report = await clean(url);
  expect(await keysIn(redis)).toEqual([heartbeatOf('c1', 'new'), ...belongingsOf('c1', 'new')].sort());
  expect(report.coordinators).toMatchObject({ active: 1, stale: 1, swept: 1, revived: 0 });
  expect(report.keys.byFamily).toEqual({ heartbeat: 1, signal: 0, ack: 0, idempotency: 0, activity: 1, state: 1 });
});

test('an id unreadable in one swarm and stale in another keeps what names no swarm (P2, P4)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'c1', SILENT, 'old');
  await writeAll(redis, { [heartbeatOf('c1', 'new')]: 'not json' });
  await clean(url);
  const left = await keysIn(redis);
  expect(left).toEqual(
    [heartbeatOf('c1', 'new'), ...belongingsOf('c1', 'old').filter((key) => !key.startsWith('swarm:'))].sort(),
  );
});

test('an id stale in two swarms loses everything in one run (P2)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'c1', SILENT, 'a');
  await settle(redis, 'c1', SILENT + 60, 'b');
  const report = await clean(url);
  expect(await keysIn(redis)).toEqual([]);
  expect(report.coordinators).toMatchObject({ checked: 2, stale: 2, swept: 2 });
  expect(report.keys.deleted).toBe(10);
});

test('an idempotency key that names a stale and an active coordinator stays, either way round (P2)', async () => {
  const { redis } = server.current;
  await settle(redis, 'stale', SILENT);
  await settle(redis, 'active', ACTIVE);
  const keys = [
    idempotency('stale', 'active', 'update', '1', '1760000000000'),
    idempotency('active', 'stale', 'update', '1', '1760000000000'),
    idempotency('stale', 'x', 'y', 'z', 'active'),
    idempotency('x', 'active', 'stale'),
  ];
  expect(await leftOf(keys)).toEqual([...keys].sort());
});

test('an idempotency key that names a stale and an unreadable coordinator stays (P2, P4)', async () => {
  const { redis } = server.current;
  await settle(redis, 'stale', SILENT);
  await writeAll(redis, { [heartbeatOf('odd')]: '{"timestamp":{"at":1}}' });
  const keys = [idempotency('stale', 'odd', 'update', '1', '2'), idempotency('odd', 'stale')];
  expect(await leftOf(keys)).toEqual([...keys].sort());
});

test('a real one of six segments that names two stale coordinators goes, and so does one with unknowns (P2)', async () => {
  const { redis } = server.current;
  await settle(redis, 'a', SILENT);
  await settle(redis, 'b', SILENT);
  expect(
    await leftOf([
      idempotency('a', 'b', 'update', '3', '1760000000000'),
      idempotency('b', 'a', 'update', '3', '1760000000000'),
      idempotency('a', 'unknown', 'update', '3', '1760000000000'),
      idempotency('unknown', 'a'),
      idempotency('x', 'y', 'a', 'z'),
    ]),
  ).toEqual([]);
});

test('one that names nobody with a heartbeat, or a stale id only as part of a segment, stays (P2, P11)', async () => {
  const { redis } = server.current;
  await settle(redis, 'a', SILENT);
  const keys = [idempotency('unknown', 'update'), idempotency('ab', 'ba', 'a-1'), idempotency('aa')];
  expect(await leftOf(keys)).toEqual([...keys].sort());
});

test('an active coordinator named like a word in the keys of others keeps those keys (P2)', async () => {
  const { redis } = server.current;
  await settle(redis, 'stale', SILENT);
  await settle(redis, 'update', ACTIVE);
  const key = idempotency('stale', 'x', 'update', '1', '2');
  expect(await leftOf([key])).toEqual([key]);
});

test('names of many segments end in time (P2, P6)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'stale', SILENT);
  const long = idempotency(...Array.from({ length: 5_000 }, (_, i) => `n${i}`));
  await writeAll(redis, { [`${long}:stale:x`]: '1', [long]: '1', [`blocking:ack:stale${':'.repeat(5_000)}`]: '1' });
  await clean(url);
  expect(await keysIn(redis)).toEqual([long]);
});

test('a name that can be read in more ways than can be proved stays, is counted, and is given up in time (P2, P6)', async () => {
  const { url, redis } = server.current;
  const segments = Array.from({ length: 3_000 }, (_, i) => `n${i}`);
  const id = segments.join(':');
  await settle(redis, id, SILENT);
  // Of its ways few can be somebody's who is known: this one goes.
  await settle(redis, segments.slice(0, 700).join(':'), SILENT);
  const wide = idempotency(id, '1');
  const colons = `blocking:idempotency:${':'.repeat(50_000)}`;
  await writeAll(redis, { [wide]: '1', [colons]: '1' });
  const { keys } = await clean(url);
  expect(await keysIn(redis)).toEqual([colons, idempotency(id), wide].sort());
  expect(keys.kept).toBe(2);
  let ways = 0;
  const reader = new KeyReader(targetOf(url).schema);
  const isWhole = reader.owners(Buffer.from(colons), ANY_SEGMENTS, () => ++ways === Number.MAX_SAFE_INTEGER);
  // Of 1,250,000,000 places none but these few are looked at.
  expect([isWhole, ways < 250_000]).toEqual([false, true]);
});

test('ids and names that are not UTF-8 go and stay byte for byte (P2, P8)', async () => {
  const { url, redis } = server.current;
  const bytes = (text: string) => Buffer.from(text, 'latin1');
  const now = await nowOf(redis);
  const beats = { '\xff\xfe': SILENT, '\xff': ACTIVE, '\xfe': ACTIVE, '\xc3\xa9': SILENT, '\xe9': ACTIVE };
  for (const [id, age] of Object.entries(beats)) {
    await redis.set(bytes(heartbeatOf(id)), bytes(`{"name":"${id}","timestamp":${now - age * 1000}}`));
    for (const key of belongingsOf(id)) await redis.set(bytes(key), '1');
  }
  await redis.set(bytes(idempotency('\xff\xfe', '\xff')), '1');
  const report = await clean(url);
  expect(report.coordinators).toMatchObject({ active: 3, stale: 2, swept: 2, revived: 0, unreadable: 0 });
  const left = (await redis.keysBuffer('*')).map((key) => key.toString('latin1')).sort();
  const kept = ['\xff', '\xfe', '\xe9'].flatMap((id) => [heartbeatOf(id), ...belongingsOf(id)]);
  expect(left).toEqual([...kept, idempotency('\xff\xfe', '\xff')].sort());
});

test('the same ids elsewhere are nobody: `é` in UTF-8 is not `é` in latin1 (P2)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'é', SILENT);
  const kept = await settle(redis, 'e', ACTIVE);
  await redis.set(Buffer.from('blocking:signal:\xe9', 'latin1'), beat(1e12));
  await clean(url);
  expect((await redis.keysBuffer('*')).map((key) => key.toString('latin1')).sort()).toEqual(
    [...kept, 'blocking:signal:\xe9'].sort(),
  );
});

test.each([
  ['w:{coordinator}', ['w:{coordinator}:state', 'w:{coordinator}:mail:*'], ['state', 'mail:1', 'mail:1:2'], []],
  ['{coordinator}:beat', ['to:{coordinator}:beat', '*:to:{coordinator}:beat'], [], ['to', 'from:to']],
  // Nothing tells what lies there from somebody's heartbeat whose id is longer than ids are.
  ['w:{coordinator}', ['w:{coordinator}:*'], [], []],
  ['w:{coordinator}:beat', ['w:{coordinator}:*'], ['state', 'mail:1'], []],
  ['w:{coordinator}:beat', ['w:{coordinator}:*:*'], ['mail:1'], []],
  ['w:{coordinator}:beat', ['w:{coordinator}:*:be*'], ['mail:be1'], []],
])(
  'with heartbeats %j a key that one of %j names by its own word is its owner’s, and nobody’s heartbeat (P2, P3, P4)',
  async (heartbeat, templates, behind, before) => {
    const { url, redis } = server.current;
    const schemas = { mine: { heartbeat, remains: templates } };
    const now = await nowOf(redis);
    const everythingOf = (id: string) => [
      heartbeat.replace('{coordinator}', id),
      ...behind.map((word) => `w:${id}:${word}`),
      ...before.map((word) => `${word}:${id}:beat`),
    ];
    // One that could be a heartbeat of an id that is too long, and says nothing else.
    const other = heartbeat.replace('{coordinator}', 'gone:lives');
    await writeAll(redis, { [other]: beat(now) });
    for (const id of ['gone', 'lives']) {
      const [own = '', ...remains] = everythingOf(id);
      const at = id === 'gone' ? now - 3_600_000 : now;
      await writeAll(redis, { [own]: beat(at), ...Object.fromEntries(remains.map((name) => [name, beat(now)])) });
    }
    const report = await clean(url, { settings: { schema: 'mine', schemas } });
    expect(await keysIn(redis)).toEqual([...everythingOf('lives'), other].sort());
    const { remains = 0 } = report.keys.byFamily;
    expect(remains).toBe(behind.length + before.length);
    expect(report.coordinators).toMatchObject({ checked: 3, active: 1, stale: 1, swept: 1, unreadable: 1 });
  },
);

test('whatever else a schema names by no word but those of its heartbeats, one whose id is too long keeps its own (P1, P4)', async () => {
  const { url, redis } = server.current;
  const drawn = fc.constantFrom('', ':beat', ':w:beat').chain((end) =>
    fc.record({
      end: fc.constant(end),
      template: fc
        .array(fc.constantFrom('*', 'w', ...(end === '' ? [] : ['beat', 'be*', '*at'])), { minLength: 1, maxLength: 3 })
        .map((parts) => ['w:{coordinator}', ...parts].join(':')),
      more: fc.array(fc.constantFrom('7', 'w', 'beat'), { minLength: 1, maxLength: 3 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(drawn, async ({ end, template, more }) => {
      const schemas = { mine: { heartbeat: `w:{coordinator}${end}`, remains: template } };
      fc.pre(template !== schemas.mine.heartbeat);
      await redis.flushall();
      const now = await nowOf(redis);
      const lives = `w:${['gone', ...more].join(':')}${end}`;
      await writeAll(redis, { [`w:gone${end}`]: beat(now - 3_600_000), [lives]: beat(now) });
      await clean(url, { settings: { schema: 'mine', schemas } });
      expect(await keysIn(redis)).toEqual([lives]);
    }),
    { numRuns: 40 },
  );
});
