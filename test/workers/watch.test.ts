/** P10 as a worker sees it: time in which nobody could beat is no silence. */
import { expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { startWorker } from '../support/cli.ts';
import { configFile } from '../support/files.ts';
import { useQueue } from '../support/queue.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { beat, belongingsOf, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

const queue = useQueue();
const COORDINATORS = 100;
const STALE_AFTER_SECONDS = 5;
/** Long enough that whoever beats every half second would be stale twice over. */
const OUTAGE_MS = 12_000;

const pause = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms));

/** Ways in which a target keeps everybody from beating for a while. */
const OUTAGES: Readonly<Record<string, (target: TestRedis) => Promise<() => Promise<void>>>> = {
  'is frozen': async ({ redis }) => {
    const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
    process.kill(pid, 'SIGSTOP');
    return async () => void process.kill(pid, 'SIGCONT');
  },
  'takes no writes': async ({ redis }) => {
    await redis.call('CLIENT', 'PAUSE', String(OUTAGE_MS + 60_000), 'WRITE');
    return async () => void (await redis.call('CLIENT', 'UNPAUSE'));
  },
};

test.for(Object.keys(OUTAGES))(
  'nobody who beats is swept before, while or after the target %s for longer than the threshold; who dies then is (P10)',
  { concurrent: true, timeout: 240_000 },
  async (outage, { onTestFinished }) => {
    const target = await startRedis();
    const beats = target.redis.duplicate({ connectionName: 'beats' });
    const worker = { end: async () => {} };
    try {
      const ids = Array.from({ length: COORDINATORS }, (_, i) => `c${i}`);
      for (const id of ids) {
        await writeAll(target.redis, Object.fromEntries(belongingsOf(id).map((name) => [name, 'x'])));
      }
      let living = ids;
      let over = false;
      const beating = (async () => {
        while (!over) {
          const now = await nowOf(beats).catch(() => 0);
          if (now > 0) await writeAll(beats, Object.fromEntries(living.map((id) => [heartbeatOf(id), beat(now, id)])));
          await pause(500);
        }
      })();
      const settings = `staleAfter: ${STALE_AFTER_SECONDS}s\nminStaleAfter: 1s\nsuddenSilence: false\n`;
      const file = await configFile(settings, onTestFinished);
      const name = outage.replaceAll(' ', '-');
      const env = {
        REDIS_URL: target.url,
        QUEUE_REDIS_URL: queue.server.url,
        STALESWEEP_QUEUE_PREFIX: `{${name}}`,
        STALESWEEP_CONFIG: file,
        STALESWEEP_EVERY: '1s',
        LOG_LEVEL: 'info',
      };
      const started = await startWorker(env, onTestFinished);
      worker.end = async () => void (await started.kill('SIGTERM'));
      const ledger = new Ledger(queue.server.redis, `{${name}}`, { sizeBytes: 64e6, ageMs: 9e9 });
      const reports = async (): Promise<Report[]> =>
        (await ledger.history({ limit: 500 })).runs.flatMap(({ report }) => report ?? []);
      const completed = async () => (await reports()).filter((report) => report.outcome === 'completed').length;
      await expect.poll(completed).toBeGreaterThan(2);

      const end = await (OUTAGES[outage] as (typeof OUTAGES)[string])(target);
      await pause(OUTAGE_MS);
      await end();
      const before = await completed();
      await expect.poll(completed).toBeGreaterThan(before + 6);
      expect((await reports()).map(({ coordinators }) => coordinators.swept).filter((swept) => swept > 0)).toEqual([]);
      for (const id of ids) expect(await target.redis.exists(...belongingsOf(id))).toBe(belongingsOf(id).length);

      living = ids.slice(1);
      await expect.poll(async () => await target.redis.exists(heartbeatOf('c0'))).toBe(0);
      for (const id of living) expect(await target.redis.exists(...belongingsOf(id))).toBe(belongingsOf(id).length);
      over = true;
      await beating;
    } finally {
      await worker.end();
      beats.disconnect();
      await target.stop();
    }
  },
);
