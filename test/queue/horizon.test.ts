/** Scheduled runs that need no look, as the queue and its history show them. */
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Report } from '../../src/domain/report.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { useRedis } from '../support/leaks.ts';
import { MOST_WAIT_MS, useQueue } from '../support/queue.ts';
import { work } from '../support/worker.ts';
import { settle } from '../support/world.ts';

const queue = useQueue();
const target = useRedis();

test('a scheduled run looks at nobody while nobody can be stale; whoever asks for one gets a full pass', {
  timeout: 240_000,
}, async ({ onTestFinished }) => {
  for (let n = 0; n < 20; n++) await settle(target.current.redis, `c${n}`, 10);
  const env = {
    REDIS_URL: target.current.url,
    QUEUE_REDIS_URL: queue.server.url,
    STALESWEEP_EVERY: '1s',
    STALESWEEP_SUDDEN_SILENCE: 'false',
    STALESWEEP_HORIZON: 'true',
  };
  const worker = await work(env, onTestFinished);
  const ledger = new Ledger(queue.server.redis, '{stalesweep}', { sizeBytes: 64e6, ageMs: 9e9 });
  const reports = async (): Promise<Report[]> =>
    (await ledger.history({ limit: 500, outcome: 'completed' })).runs.flatMap(({ report }) => report ?? []);
  const spared = async () => (await reports()).filter(({ pass }) => pass === 'none').length;
  await expect.poll(spared, { timeout: MOST_WAIT_MS }).toBeGreaterThan(2);
  const scans = async () => /cmdstat_scan:calls=(\d+)/.exec(await target.current.redis.info('commandstats'))?.[1];
  const [before, scansBefore] = [await spared(), await scans()];
  await expect.poll(spared, { timeout: MOST_WAIT_MS }).toBeGreaterThan(before + 2);
  expect(await scans()).toBe(scansBefore);

  const { targets } = resolveConfig({}, env);
  await expect
    .poll(
      async () => {
        // One that has begun already may be joined, and then says how far it looked.
        const { run } = await enqueue(queue.runs, targets, { target: 'default', trigger: 'manual' });
        return await queue.finished(run);
      },
      { timeout: MOST_WAIT_MS },
    )
    .toMatchObject({ pass: 'full', trigger: 'manual', coordinators: { checked: 20, active: 20 } });
  await worker.close();
});

test('whoever joins a scheduled run that waits has it look at everybody', async () => {
  const { targets } = resolveConfig({}, { REDIS_URL: queue.server.url });
  const scheduled = await enqueue(queue.runs, targets, { target: 'default', trigger: 'schedule' });
  const joined = await enqueue(queue.runs, targets, { target: 'default', trigger: 'manual' });
  expect(joined).toMatchObject({ run: scheduled.run, joined: true, difference: null });
  expect((await queue.runs.getJob(scheduled.run))?.data).toMatchObject({ target: 'default', trigger: 'manual' });
});
