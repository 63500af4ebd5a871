import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, beat, heartbeatOf, keysIn, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();
const SILENT = 3_600;

async function populate(stale: number, active: number): Promise<string[]> {
  const { redis } = server.current;
  const now = await nowOf(redis);
  const world: Record<string, string> = {};
  for (let i = 0; i < stale; i++) world[heartbeatOf(`stale${i}`)] = beat(now - SILENT * 1000);
  for (let i = 0; i < active; i++) world[heartbeatOf(`active${i}`)] = beat(now);
  await writeAll(redis, world);
  return await keysIn(redis);
}

test('a run that finds more stale than maxStaleFraction removes nothing, and says why', async () => {
  const before = await populate(12, 8);
  const report = await clean(server.current.url, { settings: { maxStaleFraction: 0.5 } });
  expect(report).toMatchObject({
    outcome: 'refused',
    coordinators: { checked: 20, active: 8, stale: 12, swept: 0, revived: 0 },
    keys: { found: 0, deleted: 0 },
    chunks: 0,
  });
  expect(report.reason).toContain('12 of 20 coordinators look stale');
  expect(report.reason).toMatch(/sweep them all the same, with --force$/);
  expect(await keysIn(server.current.redis)).toEqual(before);
});

test('"force" goes on all the same', async () => {
  await populate(12, 8);
  const report = await clean(server.current.url, { settings: { maxStaleFraction: 0.5, maxStale: 1 }, force: true });
  expect(report).toMatchObject({ outcome: 'completed', coordinators: { swept: 12 } });
  expect(await keysIn(server.current.redis)).toHaveLength(8);
});

test.each([
  [29, 100, 0.29],
  [57, 100, 0.57],
  [7, 10, 0.7],
  [10, 10, 1],
  [0, 10, 0],
  [1, 1, 0.5],
  [9, 9, 0],
])('%i stale of %i are not more than %d', async (stale, all, maxStaleFraction) => {
  await populate(stale, all - stale);
  const report = await clean(server.current.url, { settings: { maxStaleFraction } });
  expect(report).toMatchObject({ outcome: 'completed', coordinators: { swept: stale } });
});

test.each([{ maxStaleFraction: 0 }, { maxStaleFraction: 0.5 }, {}])(
  'an empty target is no reason to refuse: %j',
  async (settings) => {
    const report = await clean(server.current.url, { settings });
    expect(report).toMatchObject({ outcome: 'completed', coordinators: { checked: 0 } });
  },
);

test('a dry run is refused as a real one would be (P7)', async () => {
  await populate(12, 8);
  const report = await clean(server.current.url, { settings: { maxStaleFraction: 0.5 }, dryRun: true });
  expect(report).toMatchObject({ outcome: 'refused', dryRun: true });
});

test('the report has exactly the fields of the contract, and they agree', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'stale', SILENT);
  await settle(redis, 'active', ACTIVE);
  await writeAll(redis, { [heartbeatOf('odd')]: 'x' });
  const startedAt = Date.now() - 5_000;
  const report = await clean(url, { run: 'r1', trigger: 'cli', attempts: 3, startedAt });
  expect(Object.keys(report)).toEqual(
    'run target trigger dryRun outcome pass startedAt finishedAt durationMs staleAfterSeconds coordinators silence keys redis chunks strategy attempts unreadable'.split(
      ' ',
    ),
  );
  expect(report).toMatchObject({
    run: 'r1',
    target: 'default',
    trigger: 'cli',
    dryRun: false,
    outcome: 'completed',
    startedAt: new Date(startedAt).toISOString(),
    staleAfterSeconds: 600,
    coordinators: { checked: 3, active: 1, stale: 1, unreadable: 1, lapsed: 0, swept: 1, revived: 0 },
    keys: {
      found: 7,
      deleted: 7,
      orphans: 0,
      byFamily: { heartbeat: 1, signal: 1, ack: 2, idempotency: 1, activity: 1, state: 1 },
    },
    chunks: 1,
    strategy: 'script',
    attempts: 3,
    unreadable: [{ why: 'not-json', count: 1, sample: [heartbeatOf('odd')] }],
  });
  expect(report.durationMs).toBe(Date.parse(report.finishedAt) - startedAt);
  expect(report.redis.calls).toBeGreaterThan(4);
  expect(report.redis.slowestCallMs).toBeGreaterThan(0);
  expect(report.redis.memoryFreedBytes).toBeGreaterThanOrEqual(0);
});

/** How many arguments, or to a script keys, the largest call of each kind has when it comes to Redis; `lua:` before those that
 * a script makes. */
async function largestCallsIn(act: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> {
  const { redis } = server.current;
  const largest = new Map<string, number>();
  const monitor = await redis.monitor();
  const over = new Promise<void>((resolve) => {
    monitor.on('monitor', (_, [name = '', ...args]: string[], source: string) => {
      const call = `${source === 'lua' ? 'lua:' : ''}${name.toLowerCase()}`;
      const size = call === 'evalsha' ? Number(args[1]) : args.length;
      largest.set(call, Math.max(largest.get(call) ?? 0, size));
      if (args[0] === 'over') resolve();
    });
  });
  await act();
  await redis.echo('over');
  await over;
  monitor.disconnect();
  return largest;
}

test('however long a call may take, none carries more than Lua can unpack, and removal is UNLINK (P6)', async () => {
  await populate(12_000, 0);
  const calls = await largestCallsIn(async () => await clean(server.current.url, { settings: { callBudget: '10s' } }));
  // As many as a script has to cut.
  expect(calls.get('evalsha')).toBeGreaterThan(4_000);
  for (const [call, most] of calls) expect(most, call).toBeLessThan(8_000);
  expect([...calls.keys()]).toContain('lua:unlink');
  expect([...calls.keys()].filter((call) => /(^|:)(del|keys)$/.test(call))).toEqual([]);
});
