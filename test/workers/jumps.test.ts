import { test } from 'vitest';
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
