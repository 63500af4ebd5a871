import { describe, expect, test, vi } from 'vitest';
import { examine } from '../../src/cli/examine/doctor.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Finding } from '../../src/health/finding.ts';
import { QUIET } from '../../src/cli/queue.ts';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { announce, meantBy } from '../../src/queue/members.ts';
import { openQueues, type Queues } from '../../src/queue/queues.ts';
import { reportOf, runOf, unexpected } from '../ledger/story.ts';
import { targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();

/** What doctor finds of one kind, when the configuration file says this. */
async function findings(check: string, settings: object = {}): Promise<readonly Finding[]> {
  const file = { name: 'test.yaml', text: JSON.stringify(settings) };
  const config = resolveConfig({}, { REDIS_URL: server.current.url }, file);
  const all = await examine(config, [...config.targets.values()]);
  return all.filter((finding) => finding.check === check);
}

test('without an address of a Redis the advice is to give one', async () => {
  // A port on which nothing listens: what answers at the usual one may be anybody's.
  const { targets, ...config } = resolveConfig({}, { REDIS_URL: 'redis://127.0.0.1:1' });
  for (const [targetGiven, advice] of [
    [true, /^check the URL/],
    [false, /^set REDIS_URL: none is given/],
  ] as const) {
    const all = await examine({ ...config, targets, targetGiven }, [...targets.values()]);
    const found = all.find(({ check, target }) => check === 'connection' && target === 'default');
    expect(found).toMatchObject({ status: 'failed', advice: expect.stringMatching(advice) });
  }
});

describe('heartbeats', () => {
  test.each([
    ['not-json', 'not-json', () => 'alive', 'write a JSON object'],
    ['no-time', 'no-time', () => '{"beat":1}', '"timestamp" or "lastHeartbeat"'],
    ['seconds', 'wrong-unit', (at: number) => beat(at / 1000), 'write milliseconds'],
    ['zero', 'wrong-unit', () => beat(0), 'write milliseconds'],
    ['tomorrow', 'future', (at: number) => beat(at + 86_400_000), 'check the clocks'],
    ['microseconds', 'future', (at: number) => beat(at * 1000), 'microseconds'],
    ['local', 'no-zone', (at: number) => beat(new Date(at).toISOString().slice(0, -1)), 'write ISO 8601 with its zone'],
  ])('of the kind %s are kept, with the reason, three names, and the way out (P4)', async (_, why, value, wayOut) => {
    const { redis } = server.current;
    const now = await nowOf(redis);
    const keys = Array.from({ length: 5 }, (_, i) => heartbeatOf(`odd${i}`));
    await writeAll(redis, {
      ...Object.fromEntries(keys.map((key) => [key, value(now)])),
      [heartbeatOf('c')]: beat(now),
    });
    const found = await findings('heartbeats');
    expect(found).toMatchObject([{ status: 'warning', message: expect.stringContaining(`5 of 6 sampled can't be`) }]);
    const [{ message = '', advice = '' } = {}] = found;
    expect(message).toContain(`(${why}): `);
    const named = message.split(`(${why}): `)[1]?.split(', ') ?? [];
    expect(named.slice(0, -1).filter((name) => keys.includes(name))).toHaveLength(3);
    expect(named.at(-1)).toBe('…');
    expect(advice).toContain(wayOut);
  });

  test('that are no strings are told from those that expired (P4)', async () => {
    const { redis } = server.current;
    await redis.hset(heartbeatOf('hash'), 'timestamp', '1');
    await redis.rpush(heartbeatOf('list'), '1');
    const found = await findings('heartbeats');
    expect(found).toMatchObject([{ status: 'warning', advice: expect.stringContaining('as a string') }]);
    expect(found[0]?.message).toContain('2 of 2');
    for (const id of ['hash', 'list']) expect(found[0]?.message).toContain(heartbeatOf(id));
  });

  test('of several kinds get a finding each; in order, they are fine', async () => {
    const { redis } = server.current;
    const now = await nowOf(redis);
    await writeAll(redis, { [heartbeatOf('a')]: 'x', [heartbeatOf('b')]: beat(1), [heartbeatOf('c')]: beat(now) });
    expect((await findings('heartbeats')).map(({ message }) => message)).toEqual([
      `1 of 3 sampled can't be judged and are kept: each is no JSON object (not-json): ${heartbeatOf('a')}`,
      `1 of 3 sampled can't be judged and are kept: each holds a time too early for milliseconds (wrong-unit): ${heartbeatOf('b')}`,
    ]);
    await redis.del(heartbeatOf('a'), heartbeatOf('b'));
    expect(await findings('heartbeats')).toMatchObject([{ status: 'ok', message: '1 sampled, all can be judged' }]);
  });
});

describe('heartbeats that expire before they can be stale', () => {
  /** One that beat so long ago, with a time to live of so many seconds from then on. */
  const beats = async (id: string, ttlSeconds: number, agoSeconds: number) => {
    const { redis } = server.current;
    const at = Date.now() - agoSeconds * 1000;
    await redis.set(heartbeatOf(id), beat(at, id), 'PX', (ttlSeconds - agoSeconds) * 1000);
  };

  test.each([
    ['every 5 minutes', {}, 'every 5m', 'set every: 90s, or'],
    ['by a pattern', { cron: '*/5 * * * *' }, 'up to 5m apart', 'set every: 90s instead of cron, or'],
    ['by day', { cron: '* 9-17 * * *', tz: 'UTC' }, 'up to ', 'set every: 90s instead of cron, or'],
  ])('need a look at least once in their time: %s is too rare for 90 s (P11)', async (_, settings, looks, wayOut) => {
    await beats('c1', 300, 10);
    await beats('c2', 90, 60);
    await beats('c3', 90, 5);
    const [found] = await findings('interval', settings);
    expect(found).toMatchObject({ status: 'warning', message: expect.stringContaining(looks) });
    expect(found?.message).toContain('heartbeats expire after 90s, before they can be stale (10m)');
    expect(found?.advice).toContain(wayOut);
  });

  test.each([
    ['every 90 s', { every: '90s' }],
    ['every minute', { every: '1m' }],
    ['by a pattern', { cron: '*/30 * * * * *' }],
  ])('are seen by runs %s (P11)', async (_, settings) => {
    await beats('c2', 90, 60);
    expect(await findings('interval', settings)).toMatchObject([{ status: 'ok', advice: null }]);
  });

  test('the interval to set is one that people write, and not longer than they live (P11)', async () => {
    await beats('c', 300, 20);
    expect((await findings('interval', { every: '6m' }))[0]?.advice).toContain('set every: 5m,');
    await beats('c', 100, 20);
    expect((await findings('interval'))[0]?.advice).toContain('set every: 90s,');
  });

  test.each([
    ['live longer than the threshold', async () => await beats('c', 900, 20)],
    ['live for ever', async () => await writeAll(server.current.redis, { [heartbeatOf('c')]: beat(Date.now()) })],
    ['can not be judged', async () => void (await server.current.redis.set(heartbeatOf('c'), 'x', 'EX', 60))],
    ['are not there', async () => {}],
  ])('are no matter when they %s (P11)', async (_, write) => {
    await write();
    expect(await findings('interval', { every: '10m' })).toEqual([]);
  });
});

describe('the schema', () => {
  test.each([
    ['that can be judged', () => beat(Date.now())],
    ['that can not', () => 'alive'],
  ])('that would fit is named by heartbeats %s', async (_, value) => {
    const ids = Array.from({ length: 30 }, (_, i) => `blocking:heartbeat:c${i}`);
    await writeAll(server.current.redis, Object.fromEntries(ids.map((key) => [key, value()])));
    expect(await findings('schema')).toEqual([
      {
        target: 'default',
        check: 'schema',
        status: 'warning',
        message: 'all 30 keys hold no heartbeat of schema "swarm" (swarm:{swarm}:blocking:heartbeat:{coordinator})',
        advice: 'there are heartbeats of schema "flat" or "claude-flow-novice": set STALESWEEP_SCHEMA=flat',
      },
    ]);
    expect(await findings('schema', { schema: 'flat' })).toMatchObject([{ status: 'ok' }]);
  });

  test.each([
    ['flat', 'swarm', '"swarm"'],
    ['claude-flow-novice', 'swarm', '"swarm"'],
    ['swarm', 'flat', '"flat" or "claude-flow-novice"'],
    ['flat', 'claude-flow-novice', null],
  ])(
    'who cleans by %s is told of those who beat by %s and whose keys it would take (P1)',
    async (own, other, named) => {
      const { redis } = server.current;
      const now = await nowOf(redis);
      const beatOf = (schema: string, id: string) =>
        schema === 'swarm' ? heartbeatOf(id) : `blocking:heartbeat:${id}`;
      await writeAll(redis, {
        [beatOf(own, 'c1')]: beat(now),
        ...Object.fromEntries(['c2', 'c3', 'c4'].map((id) => [beatOf(other, id), beat(now)])),
        'blocking:signal:c2': '1',
      });
      const told = (await findings('schema', { schema: own })).filter(({ status }) => status === 'warning');
      if (named === null) expect(told).toEqual([]);
      else {
        const message = expect.stringContaining(
          `3 keys are heartbeats of schema ${named}, which are nobody's to "${own}"`,
        );
        expect(told).toMatchObject([{ message, advice: expect.stringContaining('mode: observe') }]);
      }
    },
  );

  test('of foreign keys is for the user to write', async () => {
    await writeAll(server.current.redis, { 'user:1': 'x', 'user:2': 'y' });
    expect(await findings('schema')).toMatchObject([
      { status: 'warning', advice: expect.stringContaining('check the database number in the URL') },
    ]);
  });

  test('of an empty database is fine, and so is one with nothing but a queue', async () => {
    expect(await findings('schema')).toMatchObject([{ status: 'ok', message: 'the database is empty' }]);
    await writeAll(server.current.redis, { '{stalesweep}:cleanup:meta': 'x' });
    expect(await findings('schema')).toMatchObject([{ status: 'ok', message: "all 1 keys are stalesweep's own" }]);
  });
});

describe('guards', () => {
  test.each<[string, object, readonly string[]]>([
    [
      'by default',
      {},
      ['no number of stale ones is refused', 'fewer than 50 %', 'at least 20 fewer', 'nobody is protected'],
    ],
    [
      'as they are set',
      { maxStale: 500, maxStaleFraction: 0.29, protect: ['c42', 'leader-*'], suddenSilence: false },
      ['more than 500 stale ones', 'more than 29 % stale, from 10', 'protected: c42, leader-*', 'nobody is held'],
    ],
  ])('are told %s', async (_, settings, parts) => {
    const [found, ...more] = await findings('guards', settings);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ status: 'ok', target: 'default', advice: null });
    for (const part of parts) expect(found?.message).toContain(part);
    expect(await findings('mode', settings)).toEqual([]);
    expect(await findings('mode', { ...settings, mode: 'observe' })).toMatchObject([{ status: 'warning' }]);
  });
});

describe('what workers have noted', () => {
  const withQueue = async <T>(act: (queues: Queues, ledger: Ledger) => Promise<T>): Promise<T> => {
    const queues = await openQueues(server.current.url, QUIET);
    try {
      return await act(queues, new Ledger(queues.connection, queues.prefix, { sizeBytes: 2 ** 26, ageMs: 1e9 }));
    } finally {
      await queues.close();
    }
  };

  test('who is held is told, since when and until when, until a run has left nobody so', async () => {
    const { url } = server.current;
    const target = targetOf(url);
    const endedWith = async (run: string, held: number) => {
      await withQueue(async (_, ledger) => {
        const identity = { ...runOf(run), fingerprint: fingerprintOf(target), families: target.schema.families };
        const recorder = ledger.record(identity, unexpected);
        await recorder.begin();
        const report = reportOf(run, 'default', 0);
        const since = { since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:20:00.000Z' };
        const counts = { ...report.coordinators, held, checked: report.coordinators.checked + held };
        await recorder.end({ outcome: 'completed', report: { ...report, coordinators: counts, held: since } });
      });
    };
    await endedWith('1', 30);
    const [hold] = await findings('hold');
    expect(hold).toMatchObject({ status: 'warning', target: 'default', advice: expect.stringContaining('--force') });
    expect(hold?.message).toMatch(
      /^30 stale ones are held since 2026-01-01T00:00:00.000Z.* at 2026-01-01T00:20:00.000Z$/,
    );
    await endedWith('2', 0);
    expect(await findings('hold')).toEqual([]);
  });

  test('when a target did not serve is told, and whether it still does not', async () => {
    const now = await nowOf(server.current.redis);
    expect(await findings('outages')).toEqual([]);
    const note = async (fromMs: number, toMs: number) =>
      await withQueue(async (_, ledger) => await ledger.addOutage(targetOf(server.current.url), { fromMs, toMs }));
    await note(now - 4_000_000, now - 3_900_000);
    expect(await findings('outages')).toEqual([]);
    await note(now - 300_000, now - 240_000);
    expect(await findings('outages')).toMatchObject([{ status: 'ok', message: expect.stringContaining('for 60s') }]);
    await note(now - 30_000, now + 60_000);
    const since = new Date(now - 30_000).toISOString();
    expect(await findings('outages')).toMatchObject([{ status: 'warning', message: expect.stringContaining(since) }]);
  });

  test('a worker that knows a target by another address is named, with the way out; not one of the same id', async () => {
    const { port } = server.current;
    const says = async (settings: object, url: string) =>
      await withQueue(async (queues) => {
        const meant = meantBy(new Map([['default', targetOf(url, settings)]]));
        await announce(queues, { id: 'other', by: 'elsewhere:7' }, meant);
      });
    await says({}, `redis://10.0.0.7:${port}`);
    const [found] = await findings('addresses');
    expect(found).toMatchObject({ status: 'warning', message: expect.stringContaining('elsewhere:7') });
    expect(found?.advice).toContain('the same id:');
    const shared = { targets: { default: { id: 'main' } } };
    await says(shared, `redis://10.0.0.7:${port}`);
    expect(await findings('addresses', shared)).toEqual([]);
    expect(await findings('settings', shared)).toEqual([]);
    await says({ ...shared, staleAfter: '30m', protect: ['a'] }, `redis://10.0.0.7:${port}`);
    expect(await findings('settings', shared)).toMatchObject([
      {
        status: 'warning',
        message: expect.stringMatching(/^elsewhere:7 cleans it with another staleAfter, protect than/),
      },
    ]);
  });

  test('of BullMQ nothing reaches the terminal, whatever it thinks of the server', async () => {
    await server.current.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const said = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      expect(await findings('eviction')).toMatchObject([{ target: 'default' }, { target: null, status: 'warning' }]);
      expect(said).not.toHaveBeenCalled();
    } finally {
      said.mockRestore();
      await server.current.redis.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });
});
