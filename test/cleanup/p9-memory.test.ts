/** P9, measured: the most memory that a real `run` takes, by the system's account. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { folder } from '../support/files.ts';
import { useRedis } from '../support/leaks.ts';
import { tellingPeak, toldPeakBytes } from '../support/peakMemory.ts';
import { nowOf } from '../support/world.ts';

const server = useRedis();

const MB = 1e6;
const MORE = 30_000;
const SMALL_BUDGET_MB = 16;
/** The default. */
const USUAL_BUDGET_MB = 320;
/** Bytes of an id, so many that all of them together are more than twice the small budget. */
const ID_BYTES = 1_200;
/**
 * What a run takes beside what it finds: pages, calls, and young objects, of which the system's account depends on when the collector
 * had its turn. That a run keeps nothing of who is gone is told exactly in test/cleanup/p9-live.
 */
const WORKING_ROOM = 190 * MB;
const BATCH = 5_000;
/** Seconds on a machine that is free, minutes where many others work. */
const PATIENCE_MS = 600_000;

/** Redis writes them itself: so many names take seconds to send. */
const WRITE = `
local id = string.rep('x', tonumber(ARGV[4]))
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
  redis.call('SET', 'blocking:heartbeat:' .. n .. '-' .. id, '{"timestamp":' .. ARGV[3] .. '}')
end`;

async function writeStale(count: number): Promise<void> {
  const { redis } = server.current;
  const beatAt = (await nowOf(redis)) - 3_600_000;
  for (let next = 0; next < count; next += BATCH) await redis.eval(WRITE, 0, next, next + BATCH, beatAt, ID_BYTES);
}

/** What a run of all that is there took at most; it must have seen them all. */
async function peakOf(stale: number, budgetMB: number, ...args: string[]): Promise<number> {
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
}

test(
  'however many coordinators there are, a run takes no more memory than its budget and its working room (P9)',
  async () => {
    const idle = await peakOf(0, SMALL_BUDGET_MB);
    await writeStale(MORE);
    const roomy = await peakOf(MORE, USUAL_BUDGET_MB, '--dry-run');
    const more = await peakOf(MORE, SMALL_BUDGET_MB);
    const took = Object.entries({ idle, more, roomy }).map(([name, bytes]) => `${name} ${Math.round(bytes / MB)} MB`);
    expect(more - idle, took.join(', ')).toBeLessThan(SMALL_BUDGET_MB * MB + WORKING_ROOM);
    expect(roomy - idle, took.join(', ')).toBeLessThan(USUAL_BUDGET_MB * MB + WORKING_ROOM);
  },
  PATIENCE_MS,
);
