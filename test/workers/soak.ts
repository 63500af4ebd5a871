/** soak: 200 coordinators that beat every two seconds, stale after a minute, through outages of a minute and a half in every way; and
 * the same where the queue stands still together with the target. Then fifty targets for three minutes; and two thousand runs of sixteen,
 * or `SOAK_RUNS`, by one worker.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { endure } from './endure.ts';
import { useQueue } from '../support/queue.ts';
import { expectFiftyCleaned } from './fifty.ts';
import { holdFlat } from './flat.ts';
import { OUTAGES } from './outages.ts';

const queue = useQueue();
const runs = Number(process.env.SOAK_RUNS || 2_000);
/** Of what a worker holds after a quarter of its runs it holds so much at most in the last one. */
const MOST_GROWTH = 1.1;

const SCENE = {
  coordinators: 200,
  beatEveryMs: 2_000,
  staleAfterSeconds: 60,
  everySeconds: 4,
  whileAway: async () => await pause(90_000),
} as const;
/** Where a queue is full, or can't save, no run begins. */
const SHARED = [
  'is frozen',
  'takes no writes',
  'is killed, and its replica promoted,',
  'is frozen, and its replica promoted,',
] as const;

test('nobody who beats is swept for an outage, whoever died goes after its own silence (P10)', async ({
  onTestFinished,
}) => {
  await endure(OUTAGES, SCENE, onTestFinished);
});

test.for(SHARED)('nor where the Redis of target and queue %s (P10)', async (how, { onTestFinished }) => {
  await endure({ [how]: OUTAGES[how] }, { ...SCENE, shared: true }, onTestFinished);
});

test('of fifty targets that share a minute one hangs, one refuses and one is full: the others miss no interval', async ({
  onTestFinished,
}) => {
  await expectFiftyCleaned(queue, { everyMs: 60_000, runs: 3, leastShare: 1 }, onTestFinished);
});

test('a worker holds no more memory after thousands of runs than after hundreds (P9)', async ({ onTestFinished }) => {
  const flat = await holdFlat(queue, runs, onTestFinished);
  console.log(JSON.stringify(flat));
  const [, second = Number.NaN, , last = Number.NaN] = flat.quartersBytes;
  expect(flat.swept).toBeGreaterThan(0);
  expect(last / second).toBeLessThan(MOST_GROWTH);
});
