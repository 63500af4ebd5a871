import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { cli, startWorker, withClockOff } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { configFile, folder } from '../support/files.ts';
import { populate } from '../support/populate.ts';
import { MOST_WAIT_MS, NEVER, useQueue } from '../support/queue.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { work } from '../support/worker.ts';

const HOUR_MS = 3_600_000;
/** What this file takes, at most. */
const SOON_MS = 30_000;
const HOURLY = { STALESWEEP_EVERY: '1h' };
/** Far from now, whenever that is. */
const HOURLY_BY_CRON = { STALESWEEP_CRON: `${(new Date().getUTCMinutes() + 30) % 60} * * * *` };

const queue = useQueue();
const { env } = queue;

/** Resolves when the next tick is waiting for its time: to when that is, in ms from now. */
async function nextIn(): Promise<number> {
  await expect.poll(() => queue.schedule.getDelayedCount()).toBe(1);
  const [tick] = await queue.schedule.getDelayed();
  return Number(tick?.timestamp) + Number(tick?.delay) - Date.now();
}

async function reportOf(answer: Promise<{ stdout: string }>): Promise<Report> {
  return JSON.parse((await answer).stdout);
}

describe('workers whose clocks are hours off', () => {
  test.each([
    ['an interval', HOURLY],
    ['a cron pattern', HOURLY_BY_CRON],
  ])('neither start runs of %s early nor put them off, and say that they are off', async (_, hourly) => {
    const ahead = await startWorker(env({ ...hourly, ...withClockOff(5) }));
    expect(ahead.stderr()).toContain("the clock of this machine is 5h ahead of that of the queue's Redis");
    // Where the next one is due by itself within this test, it begins once that has passed.
    await expect.poll(nextIn, { timeout: 2 * SOON_MS, interval: 500 }).toBeGreaterThan(SOON_MS);
    const before = await nextIn();
    expect(before).toBeLessThanOrEqual(HOUR_MS);
    const asked = await queue.runs.getJobCountByTypes('completed', 'active', 'waiting');

    const behind = await startWorker(env({ ...hourly, ...withClockOff(-7) }));
    expect(behind.stderr()).toContain('is 7h behind that');
    // Who asks for it is off as well, once: that has nothing to do with the schedule.
    const ask = hourly === HOURLY ? cli : command;
    const report = await reportOf(ask(['enqueue', '--wait', '--json'], env({ ...hourly, ...withClockOff(-9) })));
    expect(Math.abs(Date.now() - Number((await queue.runs.getJob(report.run))?.timestamp))).toBeLessThan(60_000);
    for (const at of [report.startedAt, report.finishedAt]) {
      expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000);
    }
    const [scheduler] = await queue.schedule.getJobSchedulers();
    await ahead.kill('SIGTERM');
    // Whoever stays looks at the schedules again, and finds nothing to change.
    await work(env(hourly));
    expect((await queue.schedule.getJobSchedulers())[0]?.next).toBe(scheduler?.next);
    expect(await nextIn()).toBeLessThanOrEqual(before);
    expect(await queue.runs.getJobCountByTypes('completed', 'active', 'waiting')).toBe(asked + 1);
  });

  test('judge as the others do, and try again as soon', async () => {
    await populate(env(NEVER), 20, 10);
    const file = await configFile(
      `targets: { default: { url: "${queue.server.url}" }, gone: { url: "redis://127.0.0.1:1" } }\n`,
    );
    const own = { STALESWEEP_CONFIG: file, ...NEVER };
    await startWorker({ ...own, ...withClockOff(5) });
    const { coordinators } = await reportOf(command(['enqueue', '--target', 'default', '--wait', '--json'], own));
    expect(coordinators).toMatchObject({ active: 10, stale: 10, swept: 10 });
    const job = await queue.runs.add(
      'cleanup',
      { target: 'gone' },
      { attempts: 2, backoff: { type: 'fixed', delay: 500 } },
    );
    await expect(job.waitUntilFinished(queue.events, MOST_WAIT_MS)).rejects.toThrow('connection refused');
    expect((await queue.runs.getJob(String(job.id)))?.attemptsMade).toBe(2);
  });
});

test('slow runs never pile up: while one is at work, every tick joins it', async () => {
  const target = await startRedis();
  try {
    const joined: string[] = [];
    queue.ticks.on('completed', ({ returnvalue }) => joined.push(String(returnvalue)));
    const ended = new Promise<void>((resolve) => queue.events.once('completed', () => resolve()));
    const own = { REDIS_URL: target.url, QUEUE_REDIS_URL: queue.server.url, STALESWEEP_EVERY: '1s' };
    await populate(own, 20, 10);
    // It can be read, but whoever removes anything has to wait.
    await target.redis.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    await work(own);
    await expect.poll(() => joined.length).toBeGreaterThan(2);
    expect(new Set(joined)).toEqual(new Set(['1']));
    expect(await queue.runs.getJobCountByTypes('active', 'waiting', 'delayed', 'completed')).toBe(1);
    expect(await queue.schedule.getJobCountByTypes('active', 'waiting', 'delayed')).toBeLessThanOrEqual(2);
    await target.redis.call('CLIENT', 'UNPAUSE');
    await ended;
  } finally {
    await target.stop();
  }
});

/** Moves the next tick into the past, as if all workers had been away since before it was due. */
async function missSlots(hours: number): Promise<void> {
  const key = '{stalesweep}:schedule';
  const [scheduler] = await queue.schedule.getJobSchedulers();
  const id = (at: number): string => `repeat:cleanup:default:${at}`;
  const due = Number(scheduler?.next);
  const missed = due - (hours + 1) * HOUR_MS;
  await queue.server.redis.rename(`${key}:${id(due)}`, `${key}:${id(missed)}`);
  const opts = String(await queue.server.redis.hget(`${key}:${id(missed)}`, 'opts'));
  await queue.server.redis.hset(`${key}:${id(missed)}`, 'opts', opts.replaceAll(String(due), String(missed)));
  await queue.server.redis.zrem(`${key}:delayed`, id(due));
  await queue.server.redis.zadd(`${key}:delayed`, missed * 0x1000, id(missed));
  await queue.server.redis.zadd(`${key}:repeat`, missed, 'cleanup:default');
}

test.each([
  ['an interval', HOURLY],
  ['a cron pattern', HOURLY_BY_CRON],
])('workers that were away for five slots of %s catch up with one run', async (_, hourly) => {
  const first = await work(env(hourly));
  await nextIn();
  await first.close();
  await queue.runs.obliterate({ force: true });
  await missSlots(5);
  const done = new Promise<void>((resolve) => queue.events.once('completed', () => resolve()));
  await Promise.all([work(env(hourly)), work(env(hourly))]);
  await done;
  const next = await nextIn();
  expect(next).toBeGreaterThan(0);
  expect(next).toBeLessThanOrEqual(HOUR_MS);
  expect(await queue.runs.getJobCountByTypes('completed', 'failed', 'active', 'waiting', 'delayed')).toBe(1);
});

test('a schedule survives restarts of its workers and of Redis, with the same next run, and is not doubled', async () => {
  const dir = await folder();
  const args = ['--dir', dir, '--appendonly', 'yes', '--appendfsync', 'always'];
  const before = await startRedis(args);
  const own = { REDIS_URL: before.url, ...HOURLY };
  const scheduler = async ({ redis }: TestRedis) => [
    await redis.call('ZRANGE', '{stalesweep}:schedule:repeat', '0', '-1', 'WITHSCORES'),
    await redis.call('ZRANGE', '{stalesweep}:schedule:delayed', '0', '-1', 'WITHSCORES'),
  ];
  const lasting = await work(own);
  await expect.poll(() => before.redis.zcard('{stalesweep}:schedule:delayed')).toBe(1);
  const planned = await scheduler(before);
  await before.stop();
  await lasting.says('queue: lost');
  const after = await startRedis(args, before.port);
  try {
    await lasting.says('queue: back');
    expect(await scheduler(after)).toEqual(planned);
    await lasting.close();
    await work(own);
    expect(await scheduler(after)).toEqual(planned);
  } finally {
    await after.stop();
  }
});
