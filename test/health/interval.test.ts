import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration } from '../../src/config/values/values.ts';
import { longestGapMs, niceAtMost, settingOf } from '../../src/health/interval.ts';

const MONDAY = Date.parse('2026-01-05T10:00:00Z');

describe('the longest time between two runs', () => {
  test.each([
    [undefined, 90_000],
    ['*/5 * * * *', 300_000],
    ['*/30 * * * * *', 30_000],
    ['0,10 * * * *', 3_000_000],
    ['0 3 * * *', 86_400_000],
    ['* 9-17 * * *', (15 * 60 + 1) * 60_000],
    ['*/10 9-17 * * *', (15 * 60 + 10) * 60_000],
  ])('of the pattern %s is %i ms', (cron, gapMs) => {
    expect(longestGapMs({ every: 90_000, cron, tz: cron === undefined ? undefined : 'UTC' }, MONDAY)).toBe(gapMs);
  });
});

describe('an interval', () => {
  test.each([
    [0, null],
    [1, 1],
    [90, 90],
    [119, 90],
    [300, 300],
    [599, 300],
    [1e9, 86_400],
  ])('for heartbeats that live %i s is %s s', (seconds, nice) => {
    expect(niceAtMost(seconds)).toBe(nice);
  });

  test('in the form settings take means just that', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: 1, max: 1e8 }),
          fc.integer({ min: 1, max: 1e5 }).map((s) => s * 1000),
        ),
        (ms) => {
          expect(duration(0.1)(settingOf(ms))).toBe(ms);
        },
      ),
    );
    expect([60_000, 90_000, 120_000, 300_000, 5_400_000, 7_200_000].map(settingOf)).toEqual([
      '1m',
      '90s',
      '2m',
      '5m',
      '90m',
      '2h',
    ]);
  });
});
