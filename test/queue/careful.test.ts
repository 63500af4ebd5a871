import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Config, resolveConfig } from '../../src/config/resolve.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { waitForRun } from '../../src/queue/runs/waitForRun.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { work } from '../support/worker.ts';
import { keysIn, settle } from '../support/world.ts';

// Two deployments on one queue that clean the very same target, one more carefully than the other.

const QUIET = { onError: () => {}, onReady: () => {} };
let queue: TestRedis;
let target: TestRedis;
let open: { close(): Promise<void> }[];
beforeAll(async () => {
  [queue, target] = await Promise.all([startRedis(), startRedis()]);
});
beforeEach(async () => {
  open = [];
  await Promise.all([queue, target].map(({ redis }) => redis.flushall()));
});
afterEach(async () => {
  for (const part of open.toReversed()) await part.close();
});
afterAll(async () => {
  await Promise.all([queue, target].map((server) => server.stop()));
});

function configured(settings: object): Config {
  const file = { cron: '0 0 1 1 *', queue: { url: queue.url }, ...settings, targets: { t: { url: target.url } } };
  return resolveConfig({}, {}, { name: 'stalesweep.yaml', text: JSON.stringify(file) });
}
const CARELESS = { staleAfter: '2m', orphans: ['ack'] };

async function ask(config: Config, wish: { staleAfter?: string } = {}) {
  const queues = await openQueues(config.queue, QUIET);
  open.push(queues);
  const { run } = await enqueue(queues.runs, config.targets, { target: 't', ...wish });
  return await waitForRun(queues, config.queue, QUIET, run);
}

test.each([
  ['staleAfter', { staleAfter: '1h' }],
  ['protect', { protect: ['c*'] }],
  ['mode', { mode: 'observe' }],
  ['maxStale', { maxStale: 0 }],
])('nobody goes whom %s keeps for one of them, whoever asks for the run, and whoever takes it', async (name, more) => {
  const silent = await settle(target.redis, 'c', 1_800);
  const [careful, careless] = [configured(more), configured(CARELESS)];
  const first = await work(careful);
  const second = await work(careless);
  expect(second.log()).toMatch(new RegExp(`cleans \\\\"t\\\\" with another [^:]*${name}`));
  for (const config of [careless, careful, careless, careless]) {
    expect(await ask(config)).toMatchObject({ coordinators: { checked: 1, swept: 0 } });
  }
  expect(await keysIn(target.redis)).toEqual(silent.sort());
  // Who has left holds nobody up.
  await first.close();
  expect(await ask(careless)).toMatchObject({ staleAfterSeconds: 120, coordinators: { swept: 1 } });
});

test('a wish for another threshold holds, down to the higher minStaleAfter', async () => {
  await settle(target.redis, 'c', 1_800);
  await work(configured({ staleAfter: '2h', minStaleAfter: '10m' }));
  await work(configured(CARELESS));
  const asks = configured({ ...CARELESS, minStaleAfter: '1s' });
  await expect(ask(asks, { staleAfter: '1m' })).rejects.toThrow('is below the minStaleAfter of target "t"');
  expect(await ask(asks, { staleAfter: '20m' })).toMatchObject({
    staleAfterSeconds: 1_200,
    coordinators: { swept: 1 },
  });
});

test('those who fell silent together are held for one of them, whoever takes the run', async () => {
  const ids = Array.from({ length: 25 }, (_, n) => `c${n}`);
  await Promise.all(ids.map(async (id) => await settle(target.redis, id, 10)));
  await work(configured({ staleAfter: '2m', trash: '1h' }));
  const careless = configured({ staleAfter: '2m', suddenSilence: false });
  const second = await work(careless);
  expect(second.log()).toMatch(/cleans \\"t\\" with another suddenSilence, trash/);
  expect(await ask(careless)).toMatchObject({ coordinators: { active: 25 } });
  await Promise.all(ids.map(async (id) => await settle(target.redis, id, 180)));
  for (let run = 0; run < 4; run++) {
    expect(await ask(careless)).toMatchObject({ coordinators: { held: 25, swept: 0 } });
  }
});
