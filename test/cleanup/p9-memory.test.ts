/** P9, measured: the memory that a real `run` takes follows from its configuration, not from how many coordinators there are. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { folder } from '../support/files.ts';
import { useRedis } from '../support/leaks.ts';
import { tellingPeak, toldPeakBytes } from '../support/peakMemory.ts';
import { nowOf } from '../support/world.ts';

const server = useRedis();

const MB = 1e6;
const FEWER = 30_000;
const MORE = 120_000;
const SMALL_BUDGET_MB = 16;
/** The default. */
const USUAL_BUDGET_MB = 280;
/** Bytes of an id, so many that all of them together are more than four times the small budget. */
const ID_BYTES = 600;
/** What a run takes beside what it finds: pages, calls, and young objects. */
const WORKING_ROOM = 190 * MB;
/** Two runs of the same differ by half of it; a run without a bound grew by 116 MB. */
const GROWTH = 75 * MB;
const BATCH = 5_000;
/** Seconds on a machine that is free, minutes where many others work. */
const PATIENCE_MS = 600_000;

/** Redis writes them itself: so many names take seconds to send. */
const WRITE = `
local id = string.rep('x', tonumber(ARGV[4]))
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
  redis.call('SET', 'blocking:heartbeat:' .. n .. '-' .. id, '{"timestamp":' .. ARGV[3] .. '}')
end`;

const writeStale = async (from: number, to: number): Promise<void> => {
  const { redis } = server.current;
  const beatAt = (await nowOf(redis)) - 3_600_000;
  for (let next = from; next < to; next += BATCH) await redis.eval(WRITE, 0, next, next + BATCH, beatAt, ID_BYTES);
};

/** What a run of all that is there took at most; it must have seen them all. */
const peakOf = async (stale: number, budgetMB: number, ...args: string[]): Promise<number> => {
  const peak = join(await folder(), 'peak');
  const env = {
    REDIS_URL: server.current.url,
    STALESWEEP_SCHEMA: 'flat',
    // Where others keep the machine busy, calls seem long, and would become tiny.
    STALESWEEP_CALL_BUDGET: '20ms',
    STALESWEEP_MEMORY_BUDGET: `${budgetMB}MB`,
    ...tellingPeak(peak),
  };
  // Without a record: what that takes is bounded by itself, and comes and goes with the collector.
  const { code, stdout, stderr } = await cli(['run', '--json', '--no-record', ...args], env);
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toMatchObject({ coordinators: { stale } });
  return toldPeakBytes(peak);
};

test(
  'a run takes no more memory for four times as many coordinators than its budget allows (P9)',
  async () => {
    const idle = await peakOf(0, SMALL_BUDGET_MB);
    await writeStale(0, FEWER);
    const fewer = await peakOf(FEWER, SMALL_BUDGET_MB, '--dry-run');
    await writeStale(FEWER, MORE);
    const roomy = await peakOf(MORE, USUAL_BUDGET_MB, '--dry-run');
    const more = await peakOf(MORE, SMALL_BUDGET_MB);
    const took = Object.entries({ idle, fewer, more, roomy }).map(
      ([name, bytes]) => `${name} ${Math.round(bytes / MB)} MB`,
    );
    expect(more - fewer, took.join(', ')).toBeLessThan(GROWTH);
    expect(more - idle, took.join(', ')).toBeLessThan(SMALL_BUDGET_MB * MB + WORKING_ROOM);
    expect(roomy - idle, took.join(', ')).toBeLessThan(USUAL_BUDGET_MB * MB + WORKING_ROOM);
  },
  PATIENCE_MS,
);
