import { Queue, QueueEvents } from 'bullmq';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cli, populate, startWorker } from '../support/cli.ts';
import { configFile } from '../support/files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let server: TestRedis;
let schedule: Queue;
const env = (every = '1h'): Record<string, string> => ({ REDIS_URL: server.url, STALESWEEP_EVERY: every });
const options = () => ({ connection: { host: '127.0.0.1', port: server.port }, prefix: '{stalesweep}' });

beforeAll(async () => {
  server = await startRedis();
  schedule = new Queue('schedule', options());
});
afterAll(async () => {
  await schedule.close();
  await server.stop();
});
beforeEach(async () => {
  await server.redis.flushall();
});

/** An interval's first tick comes at once; resolves when the next one is waiting for its time. */
const settled = async () => {
  await expect.poll(() => schedule.getDelayedCount(), { timeout: 5_000 }).toBe(1);
};

describe('a schedule', () => {
  test('is one, however many processes declare it, and has the new interval once that changes', async () => {
    const workers = await Promise.all([1, 2, 3].map(() => startWorker(env())));
    expect(await schedule.getJobSchedulers()).toMatchObject([{ key: 'cleanup:default', every: 3_600_000 }]);
    await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
    await startWorker(env('2h'));
    expect(await schedule.getJobSchedulers()).toMatchObject([{ key: 'cleanup:default', every: 7_200_000 }]);
    await settled();
  });

  test('keeps its next run when a process that declares the same starts', async () => {
    await startWorker(env());
    await settled();
    const [before] = await schedule.getJobSchedulers();
    await startWorker(env());
    expect((await schedule.getJobSchedulers())[0]?.next).toBe(before?.next);
  });

  test('cleans at its interval', async () => {
    const events = new QueueEvents('cleanup', options());
    await events.waitUntilReady();
    await populate(env(), 1_000, 900);
    const runs = new Promise<number>((resolve) => {
      let count = 0;
      events.on('completed', () => ++count === 3 && resolve(count));
    });
    await startWorker(env('1s'));
    await runs;
    await events.close();
    expect(await server.redis.keys('swarm:*:blocking:heartbeat:*')).toHaveLength(100);
    const history = JSON.parse((await cli(['history', '--json'], env())).stdout) as { report: { trigger: string } }[];
    expect(new Set(history.map(({ report }) => report?.trigger ?? 'schedule'))).toEqual(new Set(['schedule']));
  }, 30_000);

  test('may be a cron pattern with a time zone', async () => {
    const file = await configFile(`cron: "30 3 * * *"\ntz: Europe/Vienna\n`);
    const own = { REDIS_URL: server.url, STALESWEEP_CONFIG: file };
    await startWorker(own);
    const { stdout } = await cli(['schedule', '--json'], own);
    const [row] = JSON.parse(stdout);
    expect(row).toMatchObject({ target: 'default', everyMs: null, cron: '30 3 * * *', tz: 'Europe/Vienna' });
    const local = new Date(row.nextAt).toLocaleTimeString('en-GB', { timeZone: 'Europe/Vienna' });
    expect(local).toBe('03:30:00');
  });

  test('goes when its target is taken out of the configuration', async () => {
    const file = await configFile(
      `every: 1h\ntargets:\n  default: { url: "${server.url}" }\n  other: { url: "${server.url}/1" }\n`,
    );
    const both = await startWorker({ STALESWEEP_CONFIG: file });
    expect((await schedule.getJobSchedulers()).map(({ key }) => key).sort()).toEqual([
      'cleanup:default',
      'cleanup:other',
    ]);
    await both.kill('SIGTERM');
    await startWorker(env());
    expect((await schedule.getJobSchedulers()).map(({ key }) => key)).toEqual(['cleanup:default']);
  });

  test('is mended at the next start when its pending job was lost', async () => {
    const first = await startWorker(env());
    await settled();
    await first.kill('SIGTERM');
    for (const job of await schedule.getDelayed()) {
      await server.redis.zrem('{stalesweep}:schedule:delayed', String(job.id));
      await server.redis.del(`{stalesweep}:schedule:${job.id}`);
    }
    expect(await schedule.getDelayedCount()).toBe(0);
    await startWorker(env());
    await settled();
  });
});
