import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readQueuedRuns } from '../../src/queue/runs/history.ts';
import { listSchedules } from '../../src/queue/schedules/scheduleList.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { writeHistory } from '../support/history.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const PAST = 10_000;
/** How often BullMQ reads a job that it lists. */
const READS = 2;

let redis: TestRedis;
let dashboard: TestDashboard;

beforeAll(async () => {
  redis = await startRedis();
  dashboard = await startDashboard({ REDIS_URL: redis.url });
  await writeHistory(dashboard.queues, PAST);
});
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
async function costOf(work: () => Promise<unknown>): Promise<Cost> {
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
}

async function read(path: string): Promise<string> {
  const response = await dashboard.ask(path);
  expect(response.status).toBe(200);
  return await response.text();
}

describe('a queue of 10,000 past runs costs Redis no more than what is shown:', () => {
  it.each([
    // One: whether the queue answers.
    ['the first page', '/queues', { commands: 1, jobs: 0 }],
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
    // Who works here is one hash.
    ['the metrics', '/metrics', { commands: 40, jobs: READS }],
  ])('%s', async (_, path, most) => {
    await read(path);
    const cost = await costOf(() => read(path));
    expect(cost.commands).toBeLessThanOrEqual(most.commands);
    expect(cost.jobs).toBeLessThanOrEqual(most.jobs);
    expect(cost.bytes).toBeLessThan(100_000);
  });

  it('the command history', async () => {
    const { runs } = dashboard.queues;
    const cost = await costOf(async () => expect(await readQueuedRuns(runs, 20)).toHaveLength(20));
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
