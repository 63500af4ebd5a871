import { setTimeout as pause } from 'node:timers/promises';
import { expect, type TestContext, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Report } from '../../src/domain/report.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { startWorker } from '../support/cli.ts';
import { work } from '../support/worker.ts';
import { eventually } from './eventually.ts';
import { Random } from './random.ts';
import { Server } from './server.ts';
import { KEYS_EACH, Swarm } from './swarm.ts';

const COORDINATORS = 2_000;
/** Resting ten times as long as it works, a worker does about five in a twentieth of a second; and some are on their way. */
const UNRECORDED_CHUNKS = 10;

/** Notes how many coordinators are left, each number that is seen once, until `end`, which resolves to them. */
function watchLeft(target: Server): { end(): Promise<readonly number[]> } {
  let over = false;
  const watch = async () => {
    const left: number[] = [];
    // Once more when it is over: what went last counts.
    for (let last = false; !last; await pause(1)) {
      last = over;
      const now = Math.ceil((await target.redis.dbsize()) / KEYS_EACH);
      if (now !== left.at(-1)) left.push(now);
    }
    return left;
  };
  const watching = watch();
  watching.catch(() => {});
  return {
    end: async () => {
      over = true;
      return await watching;
    },
  };
}

/** Coordinators at a target, nearly all of whom are stale, and the queue through which they are to go. */
async function place({ onTestFinished }: TestContext, target: Server, queue: Server) {
  const queues = await openQueues(queue.url, { onError: () => {}, onReady: () => {} });
  const { targets } = resolveConfig({}, { REDIS_URL: target.url });
  const swarm = new Swarm(target.url, new Random(1));
  onTestFinished(async () => {
    swarm.close();
    await queues.close();
    await Promise.all([...new Set([target, queue])].map((server) => server.stop()));
  });
  await swarm.found(COORDINATORS, COORDINATORS);
  const env = { REDIS_URL: target.url, QUEUE_REDIS_URL: queue.url, STALESWEEP_CRON: '0 0 1 1 *' };
  return { queues, targets, env, slow: { ...env, STALESWEEP_NICE: '10' } };
}

test('the report of a run whose worker was killed misses what it had not recorded, and no more (P3)', async (context) => {
  const target = await Server.start();
  const queue = await Server.start();
  const { queues, targets, env, slow } = await place(context, target, queue);
  const victim = await startWorker(slow, context.onTestFinished);
  const { run } = await enqueue(queues.runs, targets, { target: 'default' });
  const watching = watchLeft(target);
  const job = async () => await queues.runs.getJob(run);
  const recorded = async () => ((await job())?.progress as { swept?: number } | undefined)?.swept ?? 0;
  await eventually(async () => (await recorded()) > COORDINATORS / 10, true);
  await victim.kill('SIGKILL');
  const left = await watching.end();
  const before = left[0] ?? 0;

  const atDeath = await recorded();
  const missed = before - (left.at(-1) ?? 0) - atDeath;
  expect(missed).toBeGreaterThanOrEqual(0);
  expect(left.filter((now) => now < before - atDeath).length).toBeLessThanOrEqual(UNRECORDED_CHUNKS);

  const heir = await work(env, context.onTestFinished);
  await eventually(async () => (await job())?.finishedOn !== undefined, true);
  const report = (await job())?.returnvalue as Report;
  const active = report.coordinators.active;
  expect(report.coordinators).toMatchObject({ swept: COORDINATORS - active - missed, revived: 0 });
  expect(report.keys.deleted).toBe(report.coordinators.swept * KEYS_EACH);
  await heir.close();
});

test('a worker whose queue is full removes nothing more until that takes how far it is, and reports all of it (P13)', async (context) => {
  const target = await Server.start();
  const queue = await Server.start(['--maxmemory-policy', 'noeviction']);
  const { queues, targets, slow } = await place(context, target, queue);
  const worker = await work(slow, context.onTestFinished);
  const { run } = await enqueue(queues.runs, targets, { target: 'default' });
  const left = async () => Math.ceil((await target.redis.dbsize()) / KEYS_EACH);
  const before = await left();
  await eventually(async () => (await left()) < before - COORDINATORS / 10, true);
  await queue.redis.config('SET', 'maxmemory', '1');
  // What is on its way goes.
  const isStill = async () => {
    const now = await left();
    await pause(1_000);
    return (await left()) === now;
  };
  await eventually(isStill, true);
  expect(await left()).toBeGreaterThan(COORDINATORS / 10);
  await queue.redis.config('SET', 'maxmemory', '0');
  await eventually(async () => (await queues.runs.getJob(run))?.finishedOn !== undefined, true);
  const report = (await queues.runs.getJob(run))?.returnvalue as Report;
  const gone = before - (await left());
  expect(report.coordinators).toMatchObject({ swept: gone, revived: 0 });
  expect(worker.log()).not.toContain('recorded');
});

test('a worker whose queue is the very Redis that it cleans goes on where that is full: what goes makes room for the record (P13)', async (context) => {
  const both = await Server.start(['--maxmemory-policy', 'noeviction']);
  const { queues, targets, slow } = await place(context, both, both);
  await work(slow, context.onTestFinished);
  const { run } = await enqueue(queues.runs, targets, { target: 'default' });
  const before = await both.redis.dbsize();
  await eventually(async () => (await both.redis.dbsize()) < before - (COORDINATORS * KEYS_EACH) / 10, true);
  const used = Number(/used_memory:(\d+)/.exec(await both.redis.info('memory'))?.[1]);
  await both.redis.config('SET', 'maxmemory', String(Math.floor(used * 0.95)));
  await eventually(async () => (await queues.runs.getJob(run))?.finishedOn !== undefined, true);
  const report = (await queues.runs.getJob(run))?.returnvalue as Report;
  const { active, swept } = report.coordinators;
  expect({ outcome: report.outcome, swept: swept + active }).toEqual({ outcome: 'completed', swept: COORDINATORS });
  expect(report.keys.deleted).toBe(swept * KEYS_EACH);
});
