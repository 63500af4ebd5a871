/** interval: how far apart a target's scheduled runs are, and how far apart they should be. */
import { createRequire } from 'node:module';

/** When a target is looked at: `every` so many ms, or by a cron pattern, which holds instead where it is set. */
export interface Timing {
  readonly every: number;
  readonly cron: string | undefined;
  readonly tz: string | undefined;
}

// Loaded when first needed, which is where there is a pattern.
const require = createRequire(import.meta.url);

/** A week of a pattern that fires every five minutes, and two days of one that fires every minute. */
const FIRINGS = 3_000;

/** The longest time between two scheduled runs, in ms; for a cron pattern the longest gap among its next firings. */
export function longestGapMs({ every, cron, tz }: Timing, fromMs: number): number {
  if (cron === undefined) return every;
  const { CronExpressionParser } = require('cron-parser') as typeof import('cron-parser');
  const currentDate = new Date(fromMs);
  const pattern = CronExpressionParser.parse(cron, tz === undefined ? { currentDate } : { currentDate, tz });
  let longest = 0;
  let last = pattern.next().getTime();
  for (let i = 1; i < FIRINGS && pattern.hasNext(); i++) {
    const next = pattern.next().getTime();
    longest = Math.max(longest, next - last);
    last = next;
  }
  return longest;
}

/** The time until the next scheduled run, in ms; by an interval, all of it. */
export function nextGapMs({ every, cron, tz }: Timing, fromMs: number): number {
  if (cron === undefined) return every;
  const { CronExpressionParser } = require('cron-parser') as typeof import('cron-parser');
  const currentDate = new Date(fromMs);
  const pattern = CronExpressionParser.parse(cron, tz === undefined ? { currentDate } : { currentDate, tz });
  return pattern.next().getTime() - fromMs;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Intervals that people would write, in seconds. */
const NICE = [
  ...[1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90],
  ...[2, 3, 4, 5, 10, 15, 20, 30, 45].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 4, 6, 8, 12, 24].map((hours) => hours * HOUR),
];

/** The longest interval one would write that is not above so many seconds; `null` below a second. */
export function niceAtMost(seconds: number): number | null {
  return NICE.findLast((nice) => nice <= seconds) ?? null;
}

/** A duration in the form settings take, exactly: `90s`, `5m`, `1500ms`. */
export function settingOf(milliseconds: number): string {
  if (milliseconds % 1000 !== 0) return `${milliseconds}ms`;
  const seconds = milliseconds / 1000;
  if (seconds % HOUR === 0) return `${seconds / HOUR}h`;
  return seconds % MINUTE === 0 ? `${seconds / MINUTE}m` : `${seconds}s`;
}
