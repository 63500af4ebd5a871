/** soak: whatever stays, told to end while its target or its queue is frozen, gone, full, or without a disk. */
import { expect, onTestFinished, test } from 'vitest';
import { END_SIGNALS } from '../../../src/domain/endSignals.ts';
import { expectEnd } from '../ending.ts';
import { FAULTS, PLACES, STAYING } from '../faults.ts';

const BUSY_MS = 0;
const MOST_MS = 4_000;

const ALL = STAYING.flatMap((command) =>
  PLACES.flatMap((place) => Object.keys(FAULTS).map((fault) => ({ command, place, fault }))),
);

test.each(ALL)('$command ends where $place is $fault', async (of) => {
  const ms = Math.floor(Math.random() * MOST_MS);
  const signal = END_SIGNALS[Math.floor(Math.random() * END_SIGNALS.length)] ?? 'SIGTERM';
  const { tookMs, isLate } = await expectEnd({ ...of, signal, ms }, BUSY_MS, onTestFinished);
  console.log(`${of.command}, ${of.place} ${of.fault} for ${ms} ms: ${tookMs.toFixed()} ms${isLate ? ', late' : ''}`);
  expect(tookMs).toBeGreaterThan(0);
});
