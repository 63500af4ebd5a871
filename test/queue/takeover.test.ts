import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Queue, QueueEvents } from 'bullmq';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { cli, populate, type Running, startWorker } from '../support/cli.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let server: TestRedis;
let queue: Queue;
let events: QueueEvents;
// No scheduled run comes between, and resting five times as long as it works makes a run long enough to be hit in the middle.
const env = (): Record<string, string> => ({
  REDIS_URL: server.url,
  STALESWEEP_CRON: '0 0 1 1 *',
  STALESWEEP_NICE: '5',
});

beforeAll(async () => {
  server = await startRedis();
  const options = { connection: { host: '127.0.0.1', port: server.port }, prefix: '{stalesweep}' };
  queue = new Queue('cleanup', options);
  events = new QueueEvents('cleanup', options);
  await events.waitUntilReady();
});
afterAll(async () => {
  await events.close();
  await queue.close();
  await server.stop();
});
beforeEach(async () => {
  await server.redis.flushall();
});

/** When a worker next takes a run, in ms since the epoch. */
const nextTaken = (): Promise<number> => new Promise((resolve) => events.once('active', () => resolve(Date.now())));

/** A worker that sweeps, and another that was started once the first had the run, so that it can only take it over. */
const sweeping = async (): Promise<{ busy: Running; idle: Running }> => {
  await populate(env(), 10_000, 9_900);
  const busy = await startWorker(env());
  const begun = new Promise<void>((resolve) => {
    events.on('progress', ({ data }) => {
      const { phase, swept } = data as unknown as { phase: string; swept: number };
      if (phase === 'sweep' && swept > 0) resolve();
    });
  });
  const taken = nextTaken();
  await cli(['enqueue', '--json'], env());
  await taken;
  const [idle] = await Promise.all([startWorker({ ...env(), STALESWEEP_NICE: '0' }), begun]);
  // Or there would be nothing left to take over.
  expect(await (await queue.getJob('1'))?.getState()).toBe('active');
  return { busy, idle };
};

const outcome = async (): Promise<Report> => {
  const job = await queue.getJob('1');
  return (await job?.waitUntilFinished(events, 60_000)) as Report;
};

const expectAllGone = async () => {
  expect(await server.redis.keys('swarm:*:blocking:heartbeat:*')).toHaveLength(100);
  const left = (await server.redis.keys('*')).filter((key) => !key.startsWith('{stalesweep}'));
  expect(left).toHaveLength(600);
  expect(await queue.getJobCounts('completed', 'failed', 'active', 'waiting', 'delayed')).toEqual({
    completed: 1,
    failed: 0,
    active: 0,
    waiting: 0,
    delayed: 0,
  });
};

describe('a run whose worker goes away', () => {
  test('is taken over within 15 seconds when the worker is killed, leaves nothing stale, and is one run in the history', async () => {
    const { busy: victim, idle: heir } = await sweeping();
    const killedAt = Date.now();
    const taken = nextTaken();
    await victim.kill('SIGKILL');
    expect((await taken) - killedAt).toBeLessThan(15_000);
    const report = await outcome();
    expect(report).toMatchObject({ run: '1', outcome: 'completed', attempts: 1 });
    await expectAllGone();
    expect((await heir.kill('SIGTERM')).code).toBe(0);
  }, 60_000);

  test('is handed back at once on SIGTERM, goes on without burning an attempt, and reports the whole', async () => {
    const { busy: leaving, idle: heir } = await sweeping();
    const stoppedAt = Date.now();
    expect((await leaving.kill('SIGTERM')).code).toBe(0);
    const report = await outcome();
    expect(Date.now() - stoppedAt).toBeLessThan(5_000);
    expect(report).toMatchObject({ outcome: 'completed', attempts: 1 });
    expect(report.coordinators).toEqual({
      checked: 10_000,
      active: 100,
      stale: 9_900,
      unreadable: 0,
      lapsed: 0,
      swept: 9_900,
      revived: 0,
    });
    expect(report.keys.deleted).toBe(59_400);
    await expectAllGone();
    expect((await heir.kill('SIGTERM')).code).toBe(0);
  }, 60_000);

  test('is handed back at once on SIGTERM while its target does not answer yet, without burning an attempt', async () => {
    const connected: Socket[] = [];
    const silent = createServer((socket) => connected.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as AddressInfo;
      const apart = { ...env(), REDIS_URL: `redis://127.0.0.1:${port}`, QUEUE_REDIS_URL: server.url };
      const leaving = await startWorker(apart);
      const asked = once(silent, 'connection');
      expect((await cli(['enqueue', '--json'], apart)).code).toBe(0);
      await asked;
      const stoppedAt = Date.now();
      expect((await leaving.kill('SIGTERM')).code).toBe(0);
      expect(Date.now() - stoppedAt).toBeLessThan(5_000);
      const job = await queue.getJob('1');
      expect([await job?.getState(), job?.attemptsMade]).toEqual(['waiting', 0]);
    } finally {
      for (const socket of connected) socket.destroy();
      silent.close();
    }
  }, 60_000);
});
