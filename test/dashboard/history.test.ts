import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readHistory } from '../../src/queue/history.ts';
import { listSchedules } from '../../src/queue/schedules.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const PAST = 10_000;
/** How often BullMQ reads a job that it lists. */
const READS = 2;
const FAMILIES = ['heartbeat', 'signal', 'ack', 'idempotency', 'activity', 'state'];

let redis: TestRedis;
let dashboard: TestDashboard;

/** 10,000 completed runs with their reports and logs, as a worker leaves them. */
const writeHistory = async (): Promise<void> => {
  const report = (run: string, at: number) => ({
    run,
    target: 'default',
    trigger: 'schedule',
    dryRun: false,
    outcome: 'completed',
    startedAt: new Date(at).toISOString(),
    finishedAt: new Date(at + 1_440).toISOString(),
    durationMs: 1_440,
    staleAfterSeconds: 600,
    coordinators: { checked: 100_000, active: 1_000, stale: 99_000, unreadable: 20, swept: 99_000, revived: 0 },
    keys: {
      found: 594_000,
      deleted: 594_000,
      orphans: 0,
      byFamily: Object.fromEntries(FAMILIES.map((f) => [f, 99_000])),
    },
    redis: { calls: 1_200, slowestCallMs: 2.1, memoryFreedBytes: 70_000_000 },
    chunks: 495,
    strategy: 'script',
    attempts: 1,
    unreadable: Array.from({ length: 20 }, (_, i) => `swarm:s1:blocking:heartbeat:unreadable-${i}`),
  });
  const { runs } = dashboard.queues;
  const start = Date.now() - PAST * 1_000;
  for (let from = 0; from < PAST; from += 1_000) {
    const ids = Array.from({ length: 1_000 }, (_, i) => `past-${from + i}`);
    await runs.addBulk(ids.map((jobId) => ({ name: 'cleanup', data: { target: 'default' }, opts: { jobId } })));
    const pipeline = redis.redis.pipeline();
    for (const [i, id] of ids.entries()) {
      const at = start + (from + i) * 1_000;
      const value = JSON.stringify(report(id, at));
      pipeline.hset(
        `{stalesweep}:cleanup:${id}`,
        'returnvalue',
        value,
        'finishedOn',
        at,
        'processedOn',
        at,
        'timestamp',
        at,
      );
      pipeline.rpush(`{stalesweep}:cleanup:${id}:logs`, 'mark: 100,000 coordinators', 'sweep: done', 'report: done');
      pipeline.zadd('{stalesweep}:cleanup:completed', at, id);
    }
    await pipeline.exec();
    await redis.redis.del('{stalesweep}:cleanup:wait');
  }
};

beforeAll(async () => {
  redis = await startRedis();
  dashboard = await startDashboard({ REDIS_URL: redis.url });
  await writeHistory();
}, 60_000);
afterAll(async () => {
  await dashboard?.close();
  await redis?.stop();
});

interface Cost {
  readonly commands: number;
  /** Jobs that were read. */
  readonly jobs: number;
  readonly bytes: number;
}

/** What it costs Redis. */
const costOf = async (work: () => Promise<unknown>): Promise<Cost> => {
  const client = redis.redis;
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1]);
  await client.config('RESETSTAT');
  await work();
  const bytes = await sent();
  const stats = (await client.info('commandstats')).split('\n');
  const calls = stats.flatMap((line) => {
    const [, name = '', count] = /^cmdstat_([^:|]+)[^:]*:calls=(\d+)/.exec(line) ?? [];
    return count === undefined || ['config', 'info'].includes(name) ? [] : [{ name, count: Number(count) }];
  });
  return {
    commands: calls.reduce((sum, { count }) => sum + count, 0),
    jobs: calls.find(({ name }) => name === 'hgetall')?.count ?? 0,
    bytes,
  };
};

const read = async (path: string): Promise<string> => {
  const response = await dashboard.ask(path);
  expect(response.status).toBe(200);
  return await response.text();
};

describe('a queue of 10,000 past runs costs Redis no more than what is shown:', () => {
  it.each([
    ['the first page', '/queues', { commands: 0, jobs: 0 }],
    ['what it asks for', '/queues/api/queues?page=1&jobsPerPage=10', { commands: 80, jobs: 0 }],
    [
      'the page of a queue',
      '/queues/api/queues?activeQueue=cleanup&status=latest&page=1&jobsPerPage=10',
      { commands: 120, jobs: 10 * READS },
    ],
    [
      'its past runs',
      '/queues/api/queues?activeQueue=cleanup&status=completed&page=500&jobsPerPage=10',
      { commands: 120, jobs: 10 * READS },
    ],
    ['the metrics', '/metrics', { commands: 40, jobs: 0 }],
  ])('%s', async (_, path, most) => {
    await read(path);
    const cost = await costOf(() => read(path));
    expect(cost.commands).toBeLessThanOrEqual(most.commands);
    expect(cost.jobs).toBeLessThanOrEqual(most.jobs);
    expect(cost.bytes).toBeLessThan(100_000);
  });

  it('the command history', async () => {
    const { runs } = dashboard.queues;
    const cost = await costOf(async () => expect(await readHistory(runs, 20)).toHaveLength(20));
    expect(cost.jobs).toBeLessThanOrEqual(20 * READS);
  });

  it('the command schedule', async () => {
    const { queues, config } = dashboard;
    const cost = await costOf(async () =>
      expect((await listSchedules(queues, config.targets))[0]?.lastRun).toBe('past-9999'),
    );
    expect(cost.jobs).toBeLessThanOrEqual(200 * READS);
  });
});
