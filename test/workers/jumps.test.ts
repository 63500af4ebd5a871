import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startWorker } from '../support/cli.ts';
import { NEVER } from '../support/queue.ts';
import { startRedis } from '../support/redis.ts';
import { RentedRedis } from '../support/rented/proxy.ts';
import { expectWholeThrough } from './jumps.ts';

/** Minutes or hours, forward or back. */
function drawJump(): number {
  const most = Math.random() < 0.5 ? 3_600 : 36_000;
  return Math.round((90 + Math.random() * most) * (Math.random() < 0.5 ? 1 : -1));
}

// Nearly all of it is waiting for whoever looks at the target.
test.concurrent.for([
  ['between two runs', { within: false, expire: false }],
  ['between two runs, which takes all heartbeats away,', { within: false, expire: true }],
  ['while a run reads', { within: true, expire: false }],
] as const)(
  'nobody who beats by a clock that jumps %s is swept (P5, P10)',
  { timeout: 120_000 },
  async ([, how], { onTestFinished }) => {
    const first = Math.abs(drawJump());
    await expectWholeThrough({ coordinators: 10, seconds: [first, -first, drawJump()], ...how }, onTestFinished);
  },
);

/** Longer than what a look may take and still be no jump, shorter than what is noted as a standstill. */
const STILL_MS = 6_000;

test.concurrent('a worker that stands still before it reads what a target said takes its clock for none that jumped (P10)', {
  timeout: 120_000,
}, async ({ onTestFinished }) => {
  const server = await startRedis();
  let told = () => {};
  const tells: () => Promise<void> = () => new Promise((resolve) => (told = resolve));
  const change = (reply: string) => {
    told();
    return reply;
  };
  const door = await RentedRedis.open(server.port, ([name]) => (name === 'TIME' ? { change } : 'pass'));
  onTestFinished(async () => {
    await door.close();
    await server.stop();
  });
  const worker = await startWorker({ REDIS_URL: door.url, QUEUE_REDIS_URL: server.url, ...NEVER }, onTestFinished);
  await tells();
  const stopped = new Promise<void>((resolve) => {
    told = () => resolve(void worker.child.kill('SIGSTOP'));
  });
  await stopped;
  await pause(STILL_MS);
  worker.child.kill('SIGCONT');
  for (let looks = 0; looks < 3; looks++) await tells();
  expect(worker.stderr()).not.toContain('its clock jumped');
});
