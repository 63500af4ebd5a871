/** A worker whose user or password the target does not take any more, as while credentials are changed: it sees nothing of outages (P10). */
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { eventually } from '../chaos/eventually.ts';
import { environment } from '../support/cli.ts';
import type { Finished } from '../support/finished.ts';
import { NEVER } from '../support/queue.ts';
import { startRedis } from '../support/redis.ts';
import { addUser } from '../support/users.ts';
import { work } from '../support/worker.ts';
import { nowOf } from '../support/world.ts';

/** A look comes every two seconds, and may come a little late. */
const FEW_LOOKS_MS = 9_000;
/** Longer than what may be chance. */
const REFUSED_MS = 13_000;

/** One worker that is refused, and what the ledger knows. */
async function scene(finished: Finished) {
  const [target, queue] = await Promise.all([startRedis(), startRedis()]);
  finished(async () => {
    await Promise.all([target.stop(), queue.stop()]);
  });
  const rules = ['~*', '&*', '+@all'];
  const envOf = (url: string) => ({ REDIS_URL: url, QUEUE_REDIS_URL: queue.url, ...NEVER });
  const config = loadConfig({}, environment(envOf(target.url))).targets.get('default');
  if (config === undefined) throw new Error('there is always a target "default"');
  const ledger = new Ledger(queue.redis, '{stalesweep}', { sizeBytes: 64e6, ageMs: 9e9 });
  const seenAfter = async (atMs: number) =>
    await eventually(async () => Number(await ledger.watchedAt(config)) > atMs, true);
  await work(envOf(await addUser(target, rules)), finished);
  await seenAfter(0);
  const refusedAt = await nowOf(target.redis);
  await addUser(target, [...rules, 'resetpass', '>other']);
  await target.redis.call('CLIENT', 'KILL', 'USER', 'stalesweep');
  return {
    refusedAt,
    envOf,
    seenAfter,
    target,
    now: async () => await nowOf(target.redis),
    passed: async (ms: number) => await eventually(async () => (await nowOf(target.redis)) - refusedAt > ms, true),
    letIn: async () => await addUser(target, rules),
    outageMs: async () =>
      (await ledger.outagesSince(config, 0)).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
  };
}

test.concurrent('makes no outage of it while another worker is let in, neither meanwhile nor afterwards', {
  timeout: 120_000,
}, async ({ onTestFinished }) => {
  const { envOf, target, ...at } = await scene(onTestFinished);
  await work(envOf(target.url), onTestFinished);
  await at.seenAfter(at.refusedAt);
  await at.passed(REFUSED_MS);
  expect(await at.outageMs()).toBeLessThan(FEW_LOOKS_MS);
  await at.letIn();
  await at.passed(REFUSED_MS + FEW_LOOKS_MS);
  expect(await at.outageMs()).toBeLessThan(FEW_LOOKS_MS);
});

test.concurrent('counts that time as silence of nobody where no other worker looked', { timeout: 120_000 }, async ({
  onTestFinished,
}) => {
  const at = await scene(onTestFinished);
  await at.passed(REFUSED_MS);
  await at.letIn();
  await at.seenAfter((await at.now()) + 1);
  await eventually(async () => (await at.outageMs()) >= REFUSED_MS - 1_000, true);
});
