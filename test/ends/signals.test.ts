import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { END_SIGNALS } from '../../src/domain/endSignals.ts';
import { expectEnd } from './ending.ts';
import { FAULTS, PLACES, STAYING } from './faults.ts';

/** A machine that starts other processes meanwhile is late. */
const BUSY_MS = 4_000;
const MOST_MS = 2_000;

function pick<T>(all: readonly T[]): T {
  return all[randomInt(all.length)] as T;
}

test('what stays ends with 0 in eight seconds where its target, its queue, or both are frozen, gone, full or without a disk', async ({
  onTestFinished,
}) => {
  const ending = {
    command: pick(STAYING),
    signal: pick(END_SIGNALS),
    place: pick(PLACES),
    fault: pick(Object.keys(FAULTS)),
    ms: randomInt(MOST_MS),
  };
  const { tookMs } = await expectEnd(ending, BUSY_MS, onTestFinished);
  expect(tookMs, JSON.stringify(ending)).toBeGreaterThan(0);
});
