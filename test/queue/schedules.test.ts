import { describe, expect, test } from 'vitest';
import { command } from '../support/command.ts';
import { configFile } from '../support/files.ts';
import { populate } from '../support/populate.ts';
import { useQueue } from '../support/queue.ts';
import { work } from '../support/worker.ts';

const queue = useQueue();
function env(every = '1h') {
  return queue.env({ STALESWEEP_EVERY: every });
}

/** An interval's first tick comes at once; resolves when the next one is waiting for its time. */
async function settled() {
  await expect.poll(() => queue.schedule.getDelayedCount()).toBe(1);
}

describe('a schedule', () => {
  test('is one, however many processes declare it, and has the new interval once that changes', async () => {
    const workers = await Promise.all([1, 2, 3].map(() => work(env())));
    expect(await queue.schedule.getJobSchedulers()).toMatchObject([{ key: 'cleanup:default', every: 3_600_000 }]);
    await Promise.all(workers.map((worker) => worker.close()));
    await work(env('2h'));
    expect(await queue.schedule.getJobSchedulers()).toMatchObject([{ key: 'cleanup:default', every: 7_200_000 }]);
    await settled();
  });

  test('keeps its next run when a process that declares the same starts', async () => {
    await work(env());
    await settled();
    const [before] = await queue.schedule.getJobSchedulers();
    await work(env());
    expect((await queue.schedule.getJobSchedulers())[0]?.next).toBe(before?.next);
  });

  test('cleans at its interval', async () => {
    await populate(env(), 1_000, 900);
    const runs = new Promise<number>((resolve) => {
      let count = 0;
      queue.events.on('completed', () => ++count === 3 && resolve(count));
    });
    await work(env('1s'));
    await runs;
    expect(await queue.server.redis.keys('swarm:*:blocking:heartbeat:*')).toHaveLength(100);
    const history = JSON.parse((await command(['history', '--json'], env())).stdout) as {
      report: { trigger: string };
    }[];
    expect(new Set(history.map(({ report }) => report?.trigger ?? 'schedule'))).toEqual(new Set(['schedule']));
  });

  test('may be a cron pattern with a time zone', async () => {
    const file = await configFile(`cron: "30 3 * * *"\ntz: Europe/Vienna\n`);
    const own = { REDIS_URL: queue.server.url, STALESWEEP_CONFIG: file };
    await work(own);
    const { stdout } = await command(['schedule', '--json'], own);
    const [row] = JSON.parse(stdout);
    expect(row).toMatchObject({ target: 'default', everyMs: null, cron: '30 3 * * *', tz: 'Europe/Vienna' });
    const local = new Date(row.nextAt).toLocaleTimeString('en-GB', { timeZone: 'Europe/Vienna' });
    expect(local).toBe('03:30:00');
  });

  test('goes when its target is taken out of the configuration', async () => {
    const file = await configFile(
      `every: 1h\ntargets:\n  default: { url: "${queue.server.url}" }\n  other: { url: "${queue.server.url}/1" }\n`,
    );
    const both = await work({ STALESWEEP_CONFIG: file });
    expect((await queue.schedule.getJobSchedulers()).map(({ key }) => key).sort()).toEqual([
      'cleanup:default',
      'cleanup:other',
    ]);
    await both.close();
    await work(env());
    expect((await queue.schedule.getJobSchedulers()).map(({ key }) => key)).toEqual(['cleanup:default']);
  });

  test('is mended at the next start when its pending job was lost', async () => {
    const first = await work(env());
    await settled();
    await first.close();
    for (const job of await queue.schedule.getDelayed()) {
      await queue.server.redis.zrem('{stalesweep}:schedule:delayed', String(job.id));
      await queue.server.redis.del(`{stalesweep}:schedule:${job.id}`);
    }
    expect(await queue.schedule.getDelayedCount()).toBe(0);
    await work(env());
    await settled();
  });
});
