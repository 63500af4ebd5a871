import { Queue, QueueEvents } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { command } from '../support/command.ts';
import { configFile } from '../support/files.ts';
import { MOST_WAIT_MS } from '../support/queue.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { addUser, UNSCRIPTED } from '../support/users.ts';
import { type Working, work } from '../support/worker.ts';

let server: TestRedis;
let runs: Queue;
let schedule: Queue;
let events: QueueEvents;
function options() {
  return { connection: { host: '127.0.0.1', port: server.port }, prefix: '{stalesweep}' };
}

beforeEach(async () => {
  server = await startRedis();
  runs = new Queue('cleanup', options());
  schedule = new Queue('schedule', options());
  events = new QueueEvents('cleanup', options());
  await events.waitUntilReady();
});
afterEach(async () => {
  for (const part of [events, runs, schedule]) await part?.close();
  await server?.stop();
});

/** What was said at warn or above, and of what is over; but that a run that goes on is not recorded, or that a target is away. */
function troubles({ log }: Working): string[] {
  return log()
    .split('\n')
    .filter((line) => /"level":[456]0|: back|succeed again/.test(line))
    .map((line) => String(JSON.parse(line).msg))
    .filter((sentence) => !/recorded|nobody can beat there/.test(sentence));
}

test('a schedule comes back by itself after FLUSHALL, and is not doubled', async () => {
  const own = { REDIS_URL: server.url, STALESWEEP_EVERY: '1h' };
  const workers = await Promise.all([work(own), work(own)]);
  // The first run is over, and with it its tick: nothing is under way.
  await expect.poll(() => runs.getCompletedCount()).toBe(1);
  await expect.poll(() => schedule.getJobCountByTypes('active', 'waiting')).toBe(0);
  await server.redis.flushall();
  await expect.poll(() => schedule.getDelayedCount()).toBe(1);
  expect(await schedule.getJobSchedulers()).toMatchObject([{ key: 'cleanup:default', every: 3_600_000 }]);
  await expect.poll(() => runs.getCompletedCount()).toBe(1);
  for (const worker of workers) expect(troubles(worker)).toEqual([]);
});

test('a full Redis stops its schedule with one line in the log, and lets it go on with one when there is room', async () => {
  const worker = await work({ REDIS_URL: server.url, STALESWEEP_EVERY: '1s' });
  await server.redis.config('SET', 'maxmemory', '1');
  await worker.says('queue: lost');
  const errors = async (): Promise<number> =>
    Number(/errorstat_OOM:count=(\d+)/.exec(await server.redis.info('errorstats'))?.[1] ?? 0);
  const asked = await errors();
  await expect.poll(errors).toBeGreaterThan(asked);
  await server.redis.config('SET', 'maxmemory', '0');
  const next = new Promise<void>((resolve) => events.once('completed', () => resolve()));
  await Promise.all([next, worker.says('queue: back')]);
  expect(await errors()).toBeLessThan(asked + 100);
  expect(troubles(worker)).toEqual(['queue: lost; trying again until it is back', 'queue: back']);
});

describe('runs of a target that all fail get one line when that begins and one when it ends', () => {
  const fail = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const job = await runs.add('cleanup', { target: 'ill' }, { attempts: i === 0 ? 2 : 1, backoff: 100 });
      await expect(job.waitUntilFinished(events, MOST_WAIT_MS)).rejects.toThrow();
    }
  };

  test.each([
    [
      'down',
      async (target: TestRedis) => {
        await target.stop();
        return () => startRedis([], target.port);
      },
    ],
    [
      'full, where no scripts are allowed',
      async (target: TestRedis) => {
        await target.redis.config('SET', 'maxmemory', '1');
        return async () => {
          await target.redis.config('SET', 'maxmemory', '0');
          return target;
        };
      },
    ],
  ])('while it is %s', async (_, hurt) => {
    const target = await startRedis();
    await target.redis.call('EVAL', STALE, '0');
    const url = await addUser(target, RENAMING);
    const file = await configFile(
      `cron: "0 0 1 1 *"\ntargets: { well: { url: "${server.url}/1" }, ill: { url: "${url}", trash: 1h } }\nqueue: { url: "${server.url}" }\n`,
    );
    const own = { STALESWEEP_CONFIG: file };
    const heal = await hurt(target);
    const workers = await Promise.all([work(own), work(own)]);
    await fail(8);
    // Another target's success, and wrong data, say nothing about this one.
    await command(['enqueue', '--target', 'well', '--wait'], own);
    const wrong = await runs.add('cleanup', { target: 'ill', dryRun: 1 });
    await expect(wrong.waitUntilFinished(events, MOST_WAIT_MS)).rejects.toThrow('"dryRun"');
    await fail(1);
    const late = await work(own);
    expect(troubles(late)).toEqual(['runs fail']);
    const healed = await heal();
    await addUser(healed, RENAMING);
    for (let i = 0; i < 2; i++) expect((await command(['enqueue', '--target', 'ill', '--wait'], own)).code).toBe(0);
    const told = [...workers, late].flatMap(troubles).sort();
    // Each worker says once how its runs go.
    const strategy = told.filter((line) => line.startsWith('no scripts here'));
    expect(strategy.length).toBeLessThanOrEqual(3);
    expect(told.filter((line) => !strategy.includes(line))).toEqual([
      expect.stringMatching(/^attempt failed; will be retried; more of this target/),
      'run failed',
      'runs fail',
      'runs succeed again',
    ]);
    expect(await runs.getFailedCount()).toBe(10);
    await healed.stop();
  });
});

/** A trash takes memory: from 8.0 on a full server takes transactions that only remove. */
const RENAMING = [...UNSCRIPTED, '+set', '+renamenx', '+pexpire', '+persist'];

/** Twenty coordinators that are all stale. */
const STALE = `for i = 1, 20 do redis.call('SET', 'swarm:s:blocking:heartbeat:c' .. i, '{"timestamp":1000000000000}') end`;
