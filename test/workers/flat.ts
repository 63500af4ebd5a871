/** flat: what a worker holds does not grow with the runs it has done. */
import { expect, type TestContext } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { enqueue } from '../../src/queue/enqueue.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { liveMemory } from '../support/liveMemory.ts';
import { startRedis } from '../support/redis.ts';
import { settle } from '../support/world.ts';
import { work } from '../support/worker.ts';

const TARGETS = 8;
/** Caches fill, and code is compiled, while the first ones go. */
const WARM_SHARE = 1 / 4;
/** What is held for a moment more or less: a page of the ledger, a timer, what a connection reads. */
const SWAY_BYTES = 1_500_000;
const BYTES_A_RUN = 512;

/**
 * Has one worker do so many runs, each of which sweeps somebody, and looks at what it holds in between. Fails when that
 * grows from run to run.
 */
export async function expectFlat(runs: number, finished: TestContext['onTestFinished']): Promise<void> {
  const server = await startRedis();
  finished(async () => await server.stop());
  const targets = Array.from({ length: TARGETS }, (_, i) => [`t${i}`, { url: `${server.url}/${i + 1}` }] as const);
  const text = JSON.stringify({
    cron: '0 0 1 1 *',
    concurrency: TARGETS,
    queue: { url: server.url },
    ledger: { size: '4MB' },
    history: { completed: { age: '1h', count: 20 } },
    targets: Object.fromEntries(targets),
  });
  const config = resolveConfig({}, {}, { name: 'stalesweep.yaml', text });
  const worker = await work(config, finished);
  const queues = await openQueues(config.queue, { onError: () => {}, onReady: () => {} });
  finished(async () => await queues.close());
  const held: number[] = [];
  const warm = Math.ceil(runs * WARM_SHARE);
  for (let done = 0; done < runs; ) {
    for (let i = 0; i < TARGETS; i++, done++) {
      await server.redis.select(i + 1);
      await settle(server.redis, `c${done}`, 1_800);
      await settle(server.redis, `here-${done % 5}`, 5);
      await enqueue(queues.runs, config.targets, { target: `t${i}` });
    }
    const underWay = async () => await queues.runs.getJobCountByTypes('active', 'waiting', 'delayed');
    await expect.poll(underWay, { timeout: 120_000, interval: 100 }).toBe(0);
    const { heapUsed, arrayBuffers } = liveMemory();
    if (done >= warm) held.push(heapUsed + arrayBuffers);
  }
  const ledger = new Ledger(queues.connection, queues.prefix, { sizeBytes: 4e6, ageMs: 9e9 });
  const last = (await ledger.history({ limit: TARGETS })).runs;
  expect(last.map(({ outcome, report }) => [outcome, report?.coordinators.swept])).toEqual(
    Array.from({ length: TARGETS }, () => ['completed', 1]),
  );
  await worker.close();
  const half = Math.floor(held.length / 2);
  // The least of each half: what is held for a moment is in the others.
  const [before, after] = [Math.min(...held.slice(0, half)), Math.min(...held.slice(half))];
  expect(after - before).toBeLessThan(SWAY_BYTES + (BYTES_A_RUN * (runs - warm)) / 2);
}
