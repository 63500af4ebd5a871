import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, heartbeatOf, keysIn, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();

async function populate(amount: number, acks: number): Promise<void> {
  const { redis } = server.current;
  const value = beat((await nowOf(redis)) - 3_600_000);
  const world: Record<string, string> = {};
  for (let c = 0; c < amount; c++) {
    world[heartbeatOf(`c${c}`)] = value;
    world[`blocking:signal:c${c}`] = '1';
    world[`blocking:idempotency:c${c}:c${(c + 1) % amount}:update:1:2`] = '1';
    for (let ack = 0; ack < acks; ack++) world[`blocking:ack:c${c}:${ack}`] = '1';
  }
  await writeAll(redis, world);
}

/** The ids that own keys but have no heartbeat any more: what must never be. */
async function orphaned(): Promise<string[]> {
  const keys = await keysIn(server.current.redis);
  const alive = new Set(keys.filter((key) => key.includes(':heartbeat:')).map((key) => key.split(':')[4]));
  const owners = keys.filter((key) => !key.includes(':heartbeat:')).map((key) => key.split(':')[2] ?? '');
  return [...new Set(owners.filter((id) => !alive.has(id)))];
}

/** Ends the run at its nth script call. */
async function interruptAt(nth: number, when: 'before' | 'after') {
  const abort = new AbortController();
  let sweeps = 0;
  const count = (name: string) => {
    if (name === 'evalsha' && ++sweeps === nth) abort.abort();
  };
  return await clean(server.current.url, {
    signal: abort.signal,
    [when]: count,
    settings: { callBudget: '0.1ms' },
  });
}

test.each([
  ['before', 1],
  ['before', 2],
  ['after', 1],
  ['after', 5],
  ['after', 9],
] as const)(
  'a run interrupted %s script call %i ends as INTERRUPTED, and the next finishes it (P3)',
  async (when, nth) => {
    await populate(2_000, 1);
    await expect(interruptAt(nth, when)).rejects.toMatchObject({ name: 'Failure', code: 'INTERRUPTED' });
    expect(await orphaned()).toEqual([]);
    const left = (await keysIn(server.current.redis)).length;
    expect(left).toBeGreaterThan(0);
    const report = await clean(server.current.url);
    expect(report.keys.deleted).toBe(left);
    expect(await keysIn(server.current.redis)).toEqual([]);
  },
);

test('a run whose connection dies anywhere orphans nothing, and the next finishes it (P3)', async () => {
  await populate(500, 2);
  for (let nth = 1; nth <= 6; nth++) {
    let sweeps = 0;
    const dying = clean(server.current.url, {
      settings: { callBudget: '0.1ms' },
      before: (name) => {
        if (name === 'evalsha' && ++sweeps === nth) throw new Error('the connection died');
      },
    });
    await dying.catch((error) => expect(String(error)).toContain('the connection died'));
    expect(await orphaned()).toEqual([]);
  }
  await clean(server.current.url);
  expect(await keysIn(server.current.redis)).toEqual([]);
});

test('a coordinator with 50,000 acks goes in slices, its heartbeat with the last (P3)', async () => {
  await populate(1, 50_000);
  const heartbeats: number[] = [];
  const report = await clean(server.current.url, {
    after: async (name) => {
      if (name === 'evalsha') heartbeats.push(await server.current.redis.exists(heartbeatOf('c0')));
    },
  });
  expect(heartbeats.length).toBeGreaterThan(6);
  expect(heartbeats.slice(0, -1).every((there) => there === 1)).toBe(true);
  expect(heartbeats.at(-1)).toBe(0);
  expect(report.keys).toMatchObject({ deleted: 50_003, byFamily: { ack: 50_000, heartbeat: 1 } });
  expect(await keysIn(server.current.redis)).toEqual([]);
});

test('one id stale in 700 swarms, with 9,000 acks, is swept whole in one run (P3, P6)', async () => {
  const { url, redis } = server.current;
  const value = beat((await nowOf(redis)) - 3_600_000);
  const world: Record<string, string> = {};
  for (let swarm = 0; swarm < 700; swarm++) world[heartbeatOf('c1', `s${swarm}`)] = value;
  for (let ack = 0; ack < 9_000; ack++) world[`blocking:ack:c1:${ack}`] = '1';
  await writeAll(redis, world);
  const report = await clean(url, { settings: { callBudget: '1s' } });
  expect(report.coordinators).toMatchObject({ stale: 700, swept: 700 });
  expect(report.keys.deleted).toBe(9_700);
  expect(await keysIn(redis)).toEqual([]);
});

test('a key of two templates, one derived and one found by scan, is not left without its coordinator (P3)', async () => {
  const { url, redis } = server.current;
  const settings = {
    schema: 'mine',
    schemas: {
      mine: { heartbeat: 'beat:{coordinator}', inbox: 'msg:{coordinator}:inbox', pair: 'msg:*:{coordinator}' },
    },
  };
  const silent = beat((await nowOf(redis)) - 3_600_000);
  await writeAll(redis, { 'beat:c1': silent, 'msg:c1:inbox': '1', 'msg:x:c1': '1' });
  const dry = await clean(url, { settings, dryRun: true });
  const report = await clean(url, { settings });
  expect(await keysIn(redis)).toEqual([]);
  expect(report.keys.deleted).toBe(3);
  expect(dry.keys.byFamily).toEqual(report.keys.byFamily);
});

test('what a run removed before it died counts once, when another attempt carries on (P3)', async () => {
  await settle(server.current.redis, 'c1', 3_600);
  const carried = {
    swept: 4,
    lapsed: 0,
    deletedByFamily: [4, 0, 8, 0, 0, 0],
    chunks: 2,
    calls: 10,
    slowestCallMs: 1,
    memoryFreedBytes: 0,
  };
  const report = await clean(server.current.url, { carried, attempts: 2 });
  expect(report.coordinators).toMatchObject({ stale: 5, swept: 5, revived: 0 });
  expect(report.keys.byFamily).toMatchObject({ heartbeat: 5, ack: 10, signal: 1 });
});

test.each([1, 2, 3])(
  'a run that is interrupted after it read %i times for values removes nothing: who was not judged might live (P1, P2)',
  async (reads) => {
    const { url, redis } = server.current;
    const now = await nowOf(redis);
    const world: Record<string, string> = {};
    // All on one page. Stale in one swarm, active in the other: with only the first of them judged, all but that one's keys would go.
    for (let i = 0; i < 150; i++) {
      world[heartbeatOf(`c${i}`, 's1')] = beat(now - 3_600_000);
      world[heartbeatOf(`c${i}`, 's2')] = beat(now);
      world[`blocking:ack:c${i}:1`] = '1';
      world[`blocking:idempotency:c${i}:c${i + 1}:update`] = '1';
    }
    await writeAll(redis, world);
    const before = await keysIn(redis);
    const interrupt = new AbortController();
    let seen = 0;
    const after = (name: string) => {
      if (name === 'mget' && ++seen === reads) interrupt.abort();
    };
    await expect(clean(url, { signal: interrupt.signal, after })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(await keysIn(redis)).toEqual(before);
  },
);
