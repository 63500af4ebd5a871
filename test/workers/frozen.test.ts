import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { createLogger } from '../../src/log/logger.ts';
import { Outage } from '../../src/log/outages.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { populate } from '../../src/redis/sample/populate.ts';
import { startPrivateRedis } from '../../workers/demo/privateRedis.ts';
import { startWorker } from '../../workers/worker.ts';
import { folder } from '../support/files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

// A worker that is to end while something it needs hangs, and a private Redis that can't save.

const QUIET = { onError: () => {}, onReady: () => {} };
const STALE = 5_000;

async function pidOf({ redis }: TestRedis): Promise<number> {
  return Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]);
}

/** A worker in the middle of a run. */
async function atWork() {
  const [queue, target] = await Promise.all([startRedis(), startRedis()]);
  onTestFinished(async () => {
    await Promise.all([queue.stop(), target.stop()]);
  });
  const file = {
    cron: '0 0 1 1 *',
    nice: 20,
    concurrency: 1,
    queue: { url: queue.url },
    targets: { default: { url: target.url }, other: { url: `${queue.url}/1` } },
  };
  const config = resolveConfig({}, {}, { name: 'stalesweep.yaml', text: JSON.stringify(file) });
  const schema = config.targets.get('default')?.schema;
  if (schema === undefined) throw new Error('there is one');
  const amounts = { coordinators: STALE, stale: STALE, acks: 1, idempotency: 0, staleAfterSeconds: 600 };
  await populate(target.redis, schema, amounts);
  const logger = createLogger('silent');
  const worker = await startWorker({ config, logger, metrics: new Metrics(), outage: new Outage(logger, 'queue') });
  const queues = await openQueues(config.queue, QUIET);
  onTestFinished(() => queues.close());
  const { run } = await enqueue(queues.runs, config.targets, { target: 'default' });
  const progress = async () => (await queues.runs.getJob(run))?.progress;
  await expect.poll(progress, { timeout: 60_000 }).toMatchObject({ swept: expect.any(Number) });
  return { queue, target, config, worker, queues, run };
}

test('a target that hangs does not keep a worker from ending: its run goes back to the queue', async () => {
  const { target, worker, queues, run } = await atWork();
  const pid = await pidOf(target);
  process.kill(pid, 'SIGSTOP');
  try {
    await worker.close();
    const job = await queues.runs.getJob(run);
    expect([await job?.getState(), job?.attemptsMade]).toEqual(['waiting', 0]);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('a target that falls silent in the midst of its run keeps no place from the runs of others, and is to be gone on with', async () => {
  const { target, worker, queues, run, config } = await atWork();
  const pid = await pidOf(target);
  process.kill(pid, 'SIGSTOP');
  try {
    // Its calls are given up after 15 s; waiting for it to come back would take two minutes.
    const { run: next } = await enqueue(queues.runs, config.targets, { target: 'other' });
    const ended = async () => (await queues.runs.getJob(next))?.returnvalue;
    await expect.poll(ended, { timeout: 110_000 }).toMatchObject({ target: 'other', outcome: 'completed' });
    expect(await (await queues.runs.getJob(run))?.getState()).toMatch(/^(delayed|waiting|active)$/);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await worker.close();
});

test('a queue that hangs does not keep a worker from ending', async () => {
  const { queue, worker, queues, run } = await atWork();
  const pid = await pidOf(queue);
  process.kill(pid, 'SIGSTOP');
  try {
    await worker.close();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  // Another worker takes it over, as from one that was killed.
  expect(await (await queues.runs.getJob(run))?.getState()).toMatch(/^(active|waiting)$/);
});

test('a private Redis whose folder is gone ends all the same', async () => {
  const dir = join(await folder(), 'private');
  const server = await startPrivateRedis(dir);
  const redis = new Redis(server.url, { retryStrategy: () => null });
  redis.on('error', () => {});
  const ended = new Promise((resolve) => redis.once('end', resolve));
  await redis.set('a', '1');
  rmSync(dir, { recursive: true });
  await server.close();
  await ended;
});

test('a folder that can not be written to is told in a sentence', async () => {
  const dir = join(await folder(), 'file');
  writeFileSync(dir, '');
  await expect(startPrivateRedis(join(dir, 'private'))).rejects.toThrow(
    /can't be written to \(ENOTDIR\).*set REDIS_URL$/,
  );
  expect(existsSync(join(dir, 'private'))).toBe(false);
});
