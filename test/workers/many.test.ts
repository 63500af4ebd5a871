/** Many targets, and many workers. */
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { useQueue } from '../support/queue.ts';
import { startRedis } from '../support/redis.ts';
import { work } from '../support/worker.ts';
import { expectFiftyCleaned } from './fifty.ts';

const queue = useQueue();

test('of fifty targets one hangs, one refuses and one is full: the others are cleaned all the same, each by its own rules', async () => {
  // Beside other tests a machine holds everybody up; the soak has an interval that leaves room for that.
  await expectFiftyCleaned(queue, { everyMs: 20_000, runs: 2, leastShare: 0.4 }, onTestFinished);
}, 300_000);

test('one, two, four and eight workers over sixteen targets: every run is done once, and stands in the ledger once', async () => {
  const server = await startRedis(['--databases', '64']);
  onTestFinished(async () => await server.stop());
  const targets = Array.from({ length: 16 }, (_, i) => [`t${i}`, { url: `${server.url}/${i}` }] as const);
  const text = JSON.stringify({ every: '20s', queue: { url: queue.server.url }, targets: Object.fromEntries(targets) });
  const config = resolveConfig({}, {}, { name: 'stalesweep.yaml', text });
  const asked = new Set<string>();
  queue.ticks.on('completed', ({ returnvalue }) => asked.add(String(returnvalue)));
  const done = new Map<string, number>();
  queue.events.on('completed', ({ jobId }) => done.set(jobId, (done.get(jobId) ?? 0) + 1));
  const workers: { close(): Promise<void> }[] = [];
  for (const count of [1, 2, 4, 8]) {
    while (workers.length < count) workers.push(await work(config));
    const before = done.size;
    for (const name of config.targets.keys()) {
      asked.add((await enqueue(queue.runs, config.targets, { target: name, trigger: 'manual' })).run);
    }
    await expect.poll(() => done.size - before, { timeout: 120_000 }).toBeGreaterThanOrEqual(16);
  }
  // Ticks come on until nobody is left to take them.
  await Promise.all(workers.map(async (worker) => await worker.close()));
  const runs = (await queue.runs.getJobs(['completed', 'failed'])).map(({ id }) => String(id));
  for (const id of runs) await expect.poll(() => done.get(id)).toBe(1);
  for (const id of asked) if (!runs.includes(id)) expect(await queue.runs.getJobState(id)).toMatch(/waiting|delayed/);
  const ledger = new Ledger(queue.server.redis, '{stalesweep}', { sizeBytes: 64e6, ageMs: 9e9 });
  // One that was handed back as the last worker left waits for the next.
  const recorded = (await ledger.history({ limit: 500 })).runs.filter(({ state }) => state === 'ended');
  expect(recorded.map(({ run }) => run).sort()).toEqual(runs.sort());
  expect(new Set(recorded.map(({ outcome }) => outcome))).toEqual(new Set(['completed']));
});
