import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Running, startWorker } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { populate } from '../support/populate.ts';
import { NEVER, useQueue } from '../support/queue.ts';
import { type Working, work } from '../support/worker.ts';

const queue = useQueue();
const STALE = 2_900;
// Small calls with long rests make a run long enough to be hit in the middle.
function env() {
  return queue.env({ ...NEVER, STALESWEEP_NICE: '20' });
}

/** When a worker next takes a run, in ms since the epoch. */
function nextTaken(): Promise<number> {
  return new Promise((resolve) => queue.events.once('active', () => resolve(Date.now())));
}

/** A worker that sweeps, and another that was started once the first had the run, so that it can only take it over. */
async function sweeping(): Promise<{ busy: Running; idle: Working }> {
  await populate(env(), STALE + 100, STALE);
  const busy = await startWorker(env());
  const begun = new Promise<void>((resolve) => {
    queue.events.on('progress', ({ data }) => {
      const { phase, swept } = data as unknown as { phase: string; swept: number };
      if (phase === 'sweep' && swept > 0) resolve();
    });
  });
  const taken = nextTaken();
  await command(['enqueue', '--json'], env());
  await taken;
  const [idle] = await Promise.all([work({ ...env(), STALESWEEP_NICE: '0' }), begun]);
  // Or there would be nothing left to take over.
  expect(await (await queue.runs.getJob('1'))?.getState()).toBe('active');
  return { busy, idle };
}

async function expectAllGone() {
  expect(await queue.server.redis.keys('swarm:*:blocking:heartbeat:*')).toHaveLength(100);
  expect(await queue.keysLeft()).toHaveLength(600);
  expect(await queue.runs.getJobCounts('completed', 'failed', 'active', 'waiting', 'delayed')).toEqual({
    completed: 1,
    failed: 0,
    active: 0,
    waiting: 0,
    delayed: 0,
  });
}

describe('a run whose worker goes away', () => {
  test('is taken over within 15 seconds when the worker is killed, leaves nothing stale, and is one run in the history', async () => {
    const { busy: victim, idle: heir } = await sweeping();
    const killedAt = Date.now();
    const taken = nextTaken();
    await victim.kill('SIGKILL');
    expect((await taken) - killedAt).toBeLessThan(15_000);
    const report = await queue.finished('1');
    expect(report).toMatchObject({ run: '1', outcome: 'completed', attempts: 1 });
    await expectAllGone();
    await heir.close();
  });

  test('is handed back at once on SIGTERM, goes on without burning an attempt, and reports the whole', async () => {
    const { busy: leaving, idle: heir } = await sweeping();
    let takenOver = false;
    queue.events.once('stalled', () => {
      takenOver = true;
    });
    expect((await leaving.kill('SIGTERM')).code).toBe(0);
    const report = await queue.finished('1');
    expect(takenOver).toBe(false);
    expect(report).toMatchObject({ outcome: 'completed', attempts: 1 });
    expect(report.coordinators).toMatchObject({ checked: STALE + 100, stale: STALE, swept: STALE, revived: 0 });
    expect(report.keys.deleted).toBe(6 * STALE);
    await expectAllGone();
    await heir.close();
  });

  test('is handed back at once on SIGTERM while its target does not answer yet, without burning an attempt', async () => {
    const connected: Socket[] = [];
    const silent = createServer((socket) => connected.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as AddressInfo;
      const apart = { ...env(), REDIS_URL: `redis://127.0.0.1:${port}`, QUEUE_REDIS_URL: queue.server.url };
      const leaving = await startWorker(apart);
      const asked = once(silent, 'connection');
      expect((await command(['enqueue', '--json'], apart)).code).toBe(0);
      await asked;
      expect((await leaving.kill('SIGTERM')).code).toBe(0);
      const job = await queue.runs.getJob('1');
      // It waits outside for its target, and for whichever worker looks next.
      expect([await job?.getState(), job?.attemptsMade]).toEqual(['delayed', 0]);
    } finally {
      for (const socket of connected) socket.destroy();
      silent.close();
    }
  });
});
