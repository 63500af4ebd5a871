/** P9, measured: the memory that the command `run` takes follows from its configuration, not from how many coordinators there are. */
import { expect, test } from 'vitest';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { peakLiveBytes } from '../support/liveMemory.ts';
import { nowOf } from '../support/world.ts';

const server = useRedis();

const MB = 1e6;
const FEWER = 25_000;
const MORE = 60_000;
/** The smallest there is. */
const BUDGET_MB = 16;
/** Bytes of an id, so many that those of the fewer already are more than the budget. */
const ID_BYTES = 600;
/** What a run takes beside what it finds: pages and calls under way, and who is told to the record. */
const WORKING_ROOM = 12 * MB;
/** Two runs of the same differ by less. A run without a bound holds 25 MB more for the more. */
const GROWTH = 8 * MB;
const BATCH = 2_500;

/** Redis writes them itself: so many names take seconds to send. */
const WRITE = `
local id = string.rep('x', tonumber(ARGV[4]))
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
  redis.call('SET', 'blocking:heartbeat:' .. n .. '-' .. id, '{"timestamp":' .. ARGV[3] .. '}')
end`;

/** What a run holds at most that sweeps so many; the ledger stands in the same Redis. */
const peakOf = async (stale: number): Promise<number> => {
  const { redis, url } = server.current;
  const beatAt = (await nowOf(redis)) - 3_600_000;
  for (let next = 0; next < stale; next += BATCH) await redis.eval(WRITE, 0, next, next + BATCH, beatAt, ID_BYTES);
  const env = {
    REDIS_URL: url,
    STALESWEEP_SCHEMA: 'flat',
    // Where others keep the machine busy, calls seem long, and would become tiny.
    STALESWEEP_CALL_BUDGET: '20ms',
    STALESWEEP_MEMORY_BUDGET: `${BUDGET_MB}MB`,
  };
  return await peakLiveBytes(async () => {
    const { code, stdout } = await command(['run', '--json'], env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ coordinators: { stale, swept: stale } });
  });
};

test('a run that is recorded takes no more memory for more coordinators, and no more than its budget (P9)', async () => {
  // What is loaded and grown once for all runs.
  await peakOf(BATCH);
  const [fewer, more] = [await peakOf(FEWER), await peakOf(MORE)];
  const took = `${(fewer / MB).toFixed(1)} MB, then ${(more / MB).toFixed(1)} MB`;
  expect(more - fewer, took).toBeLessThan(GROWTH);
  expect(more, took).toBeLessThan(BUDGET_MB * MB + WORKING_ROOM);
}, 300_000);
