import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { findingsOf, readQueueState } from '../../src/health/queueState.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { announce, meantBy } from '../../src/queue/members.ts';
import { bringForward } from '../../src/queue/runs/putOff.ts';
import { declareSchedules } from '../../src/queue/schedules/schedules.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

// What Bull Board and other programs can do to schedules, ticks and queues, and what becomes of it.

let server: TestRedis;
let dashboard: TestDashboard;
beforeAll(async () => {
  server = await startRedis();
  const targets = Object.fromEntries(
    ['one', 'two', 'three'].map((name, i) => [name, { url: `${server.url}/${i + 1}` }]),
  );
  const yaml = JSON.stringify({ every: '1h', queue: { url: server.url }, targets });
  dashboard = await startDashboard({}, { yaml });
});
beforeEach(async () => {
  await server.redis.flushall();
  await declare();
});
afterAll(async () => {
  await dashboard?.close();
  await server?.stop();
});

const HOUR = 3_600_000;
async function declare(lostOnly = false) {
  return await declareSchedules(dashboard.queues, dashboard.config.targets, lostOnly);
}
async function known() {
  return await dashboard.queues.schedule.getJobSchedulers();
}
async function tickOf(target: string) {
  const scheduler = (await known()).find(({ key }) => key === `cleanup:${target}`);
  return await dashboard.queues.schedule.getJob(`repeat:${scheduler?.key}:${scheduler?.next}`);
}
/** When ticks are due, by target. */
async function due(): Promise<Record<string, number>> {
  const delayed = '{stalesweep}:schedule:delayed';
  const ids = await server.redis.zrange(delayed, '0', '-1');
  const pairs = await Promise.all(
    ids.map(async (id) => [id.split(':')[2], Math.floor(Number(await server.redis.zscore(delayed, id)) / 0x1000)]),
  );
  return Object.fromEntries(pairs);
}

test('targets with the same interval have their runs spread over it, each always at the same place', async () => {
  const first = await due();
  const places = (times: Record<string, number>) =>
    Object.fromEntries(Object.entries(times).map(([name, at]) => [name, at % HOUR]));
  expect(Object.keys(first).sort()).toEqual(['one', 'three', 'two']);
  for (const at of Object.values(first)) expect(at - Date.now()).toBeLessThanOrEqual(HOUR);
  expect(new Set(Object.values(places(first))).size).toBe(3);
  await server.redis.flushall();
  await declare();
  expect(places(await due())).toEqual(places(first));
  await declare();
  expect(await due()).toEqual(await due());
});

test.each([true, false])(
  'a tick that was put off to 2100, made another one, or removed is mended (lost only: %s)',
  async (lostOnly) => {
    const before = await due();
    const scheduled = await known();
    const one = await tickOf('one');
    const path = `/queues/api/queues/schedule/${encodeURIComponent(String(one?.id))}`;
    const edits = await dashboard.send('PATCH', `${path}/delay`, { runAt: Date.parse('2100-01-01T00:00:00Z') });
    expect(edits.status).toBe(200);
    expect((await due()).one).toBeGreaterThan(Date.now() + 1000 * HOUR);
    await (await tickOf('two'))?.updateData({ target: 'one' });
    const three = String((await tickOf('three'))?.id);
    await server.redis.zrem('{stalesweep}:schedule:delayed', three);
    await server.redis.del(`{stalesweep}:schedule:${three}`);
    await declare(lostOnly);
    const after = await due();
    for (const name of ['one', 'two']) expect(Math.abs((after[name] ?? 0) - (before[name] ?? 0))).toBeLessThan(50);
    expect(after.three).toBeGreaterThan(0);
    expect((await tickOf('two'))?.data).toEqual(scheduled.find(({ key }) => key === 'cleanup:two')?.template?.data);
  },
);

test.each([
  { every: 2 * HOUR },
  { pattern: '* * * * *' },
  { every: HOUR, limit: 1 },
  { every: HOUR, startDate: Date.parse('2100-01-01T00:00:00Z') },
  { pattern: '* * * * *', endDate: Date.parse('2100-01-01T00:00:00Z') },
])('a schedule that another program changed to %j is as configured again', async (repeat) => {
  const before = await due();
  await dashboard.queues.schedule.upsertJobScheduler('cleanup:one', repeat, { name: 'x', data: { target: 'one' } });
  await declare();
  expect(await due()).toEqual(before);
});

test('a run that all others join is not put off for longer than the pause between two attempts', async () => {
  const { runs } = dashboard.queues;
  const { run } = await enqueue(runs, dashboard.config.targets, { target: 'one' });
  const job = await runs.getJob(run);
  await server.redis.lrem('{stalesweep}:cleanup:wait', 0, run);
  await server.redis.zadd('{stalesweep}:cleanup:delayed', (Date.now() + 1_000) * 0x1000, run);
  expect(await bringForward(dashboard.queues, dashboard.config.targets)).toEqual([]);
  await job?.changeDelay(100_000 * HOUR);
  expect(await bringForward(dashboard.queues, dashboard.config.targets)).toEqual([run]);
  const score = Number(await server.redis.zscore('{stalesweep}:cleanup:delayed', run));
  expect(score / 0x1000).toBeLessThanOrEqual(Date.now() + 1);
});

test('a paused queue, a rate limit and a queue without workers are told by readiness and metrics', async () => {
  const ready = async () => {
    const answer = await dashboard.ask('/readyz');
    return [answer.status, await answer.json()];
  };
  const metric = async (name: string) =>
    (await (await dashboard.ask('/metrics')).text())
      .split('\n')
      .filter((line) => line.startsWith(`stalesweep_${name}`));
  expect(await ready()).toEqual([200, { status: 'ok', warnings: ['nobody works on the queue: runs wait'] }]);
  expect(await metric('workers')).toEqual(['stalesweep_workers 0']);
  await announce(dashboard.queues, { id: 'x', by: 'host:1' }, meantBy(new Map()));
  expect(await ready()).toEqual([200, { status: 'ok' }]);
  expect(await metric('workers')).toEqual(['stalesweep_workers 1']);
  for (const queue of ['cleanup', 'schedule'] as const) {
    const path = `/queues/api/queues/${queue}`;
    expect((await dashboard.send('PUT', `${path}/pause`, {})).status).toBe(200);
    expect(await ready()).toEqual([200, { status: 'ok', warnings: [`the queue "${queue}" is paused: no run begins`] }]);
    expect(await metric('queue_paused')).toContain(`stalesweep_queue_paused{queue="${queue}"} 1`);
    expect((await dashboard.send('PUT', `${path}/resume`, {})).status).toBe(200);
    expect(await metric('queue_limited')).toContain(`stalesweep_queue_limited{queue="${queue}"} 0`);
    await dashboard.queues[queue === 'cleanup' ? 'runs' : 'schedule'].setGlobalRateLimit(1, 60_000);
    expect(await metric('queue_limited')).toContain(`stalesweep_queue_limited{queue="${queue}"} 1`);
    expect(await ready()).toEqual([
      200,
      { status: 'ok', warnings: [`the queue "${queue}" takes no more than 1 in 1m`] },
    ]);
    const of = dashboard.queues[queue === 'cleanup' ? 'runs' : 'schedule'];
    await of.removeGlobalRateLimit();
    for (const [most, says] of [
      [0, 'takes none: no run begins'],
      [2, 'takes no more than 2 at once'],
    ] as const) {
      await of.setGlobalConcurrency(most);
      expect(await metric('queue_limited')).toContain(`stalesweep_queue_limited{queue="${queue}"} 1`);
      expect(await ready()).toEqual([200, { status: 'ok', warnings: [`the queue "${queue}" ${says}`] }]);
    }
    await of.removeGlobalConcurrency();
  }
  expect(await ready()).toEqual([200, { status: 'ok' }]);
  expect(await metric('queue_paused')).toContain('stalesweep_queue_paused{queue="cleanup"} 0');
});

test('metrics of a queue are absent where it could not be asked', async () => {
  const metrics = new Metrics();
  metrics.queueState({ refuses: null, paused: { cleanup: true }, limits: { cleanup: {} }, atOnce: {}, workers: 3 });
  metrics.forgetQueues();
  expect(await metrics.registry.metrics()).not.toMatch(/^stalesweep_(queue_paused|queue_limited|workers)[ {]/m);
  expect(await metrics.registry.metrics()).toMatch(/^stalesweep_queue_up 0$/m);
});

test('who asks nothing of the queue says nothing of it, as a worker at its own /metrics', async () => {
  expect(await new Metrics().registry.metrics()).not.toMatch(/^stalesweep_(queue|workers)/m);
});

test("a full queue's Redis, and one that is a replica, is told as that by schedule, doctor, overview and metrics", async () => {
  await announce(dashboard.queues, { id: 'x', by: 'host:1' }, meantBy(dashboard.config.targets));
  const up = async () => /^stalesweep_queue_up (\d)$/m.exec(await (await dashboard.ask('/metrics')).text())?.[1];
  const told = async () => findingsOf(await readQueueState(dashboard.queues, dashboard.config.targets));
  expect(await up()).toBe('1');
  expect((await told()).map(({ status }) => status)).toEqual(['ok']);
  for (const [begin, end, why] of [
    [['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'], 'its memory is full (maxmemory)'],
    [['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], 'it is a replica'],
  ] as const) {
    await server.redis.call(begin[0], begin.slice(1));
    const message = `the queue's Redis takes no writes: ${why}`;
    const [finding, ...others] = await told();
    expect([finding, others]).toEqual([expect.objectContaining({ check: 'writes', status: 'failed', message }), []]);
    expect(await up()).toBe('0');
    // It is read again once what is shown is a little old.
    await expect.poll(async () => await (await dashboard.ask('/')).text(), { timeout: 10_000 }).toContain(why);
    await server.redis.call(end[0], end.slice(1));
  }
  expect(await up()).toBe('1');
});
