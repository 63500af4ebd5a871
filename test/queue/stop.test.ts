import { QueueEvents } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { createLogger } from '../../src/log/logger.ts';
import { Outage } from '../../src/log/outages.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { openQueues, type Queues } from '../../src/queue/queues.ts';
import { runOf, stopRun } from '../../src/queue/runs/stop.ts';
import { waitForRun } from '../../src/queue/runs/waitForRun.ts';
import { populate } from '../../src/redis/sample/populate.ts';
import { startWorker } from '../../workers/worker.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { foreignIn } from '../support/world.ts';

const QUIET = { onError: () => {}, onReady: () => {} };
const STALE = 20_000;

let server: TestRedis;
let queues: Queues;
let events: QueueEvents;
const open: { close(): Promise<void> }[] = [];
function configOf() {
  // So slow that it is still at work when it is stopped.
  const env = { REDIS_URL: `${server.url}/1`, QUEUE_REDIS_URL: server.url, STALESWEEP_NICE: '20' };
  return resolveConfig({}, { ...env, STALESWEEP_CRON: '0 0 1 1 *' });
}
beforeAll(async () => {
  server = await startRedis();
  queues = await openQueues(server.url, QUIET);
  events = new QueueEvents('cleanup', { connection: { host: '127.0.0.1', port: server.port }, prefix: '{stalesweep}' });
  await events.waitUntilReady();
  const logger = createLogger('silent');
  open.push(queues, events);
  open.push(
    await startWorker({ config: configOf(), logger, metrics: new Metrics(), outage: new Outage(logger, 'queue') }),
  );
});
afterAll(async () => {
  for (const part of open.toReversed()) await part.close();
  await server?.stop();
});

test('a run in progress that is stopped ends after its chunk, its report stands, and it is not retried', async () => {
  const config = configOf();
  const target = config.targets.get('default');
  if (target === undefined) throw new Error('there is one');
  expect(await runOf(queues, target)).toBeNull();
  await server.redis.select(1);
  await populate(server.redis, target.schema, {
    coordinators: STALE,
    stale: STALE,
    acks: 1,
    idempotency: 0,
    staleAfterSeconds: 600,
  });
  const before = await foreignIn(server.redis);
  const sweeping = new Promise<void>((resolve) => {
    events.on('progress', ({ data }) => (data as { swept?: number }).swept && resolve());
  });
  const { run } = await enqueue(queues.runs, config.targets, { target: 'default' });
  await sweeping;
  expect(await runOf(queues, target)).toBe(run);
  await stopRun(queues, run);
  const report = await waitForRun(queues, config.queue, QUIET, run);
  expect(report).toMatchObject({ outcome: 'stopped', reason: 'somebody stopped the run', attempts: 1 });
  expect(report.coordinators.swept).toBeGreaterThan(0);
  expect(report.coordinators.swept).toBeLessThan(STALE);
  expect(report.keys.deleted).toBe(before - (await foreignIn(server.redis)));
  expect((await queues.runs.getJob(run))?.progress).toMatchObject({ outcome: 'stopped' });
  await expect(stopRun(queues, run)).rejects.toThrow(`there is no run "${run}" that has not ended`);
  expect(await runOf(queues, target)).toBeNull();
});
