/** P9: what a run holds follows from its budget, not from how many coordinators there are: by what lives on once the collector has
 * gone, which no other process on the machine can change. What one coordinator takes while it is held is told in test/store/memory.
 */
import { expect, test } from 'vitest';
import { RunFollower } from '../../src/ledger/recording/followRun.ts';
import { ledgerIn, runOf } from '../ledger/story.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { liveMemory } from '../support/liveMemory.ts';
import { nowOf } from '../support/world.ts';

const server = useRedis();

const FEWER = 5_000;
const MORE = 40_000;
/** So many go in two calls each; an object that is kept between them, of 400 bytes at least, takes more than the working room. */
const PARTED = 30_000;
const THINGS = 6;
/** A third of what the fewer take: either run goes in rounds, with its budget used up. */
const BUDGET_BYTES = 512 * 1024;
/** A name and its entry in a Map take 64 bytes at least: a run that keeps one for each coordinator is found out. */
const GROWTH_BYTES = (MORE - FEWER) * 40;
/**
 * What a run takes beside its budget: the pages and calls that are under way, the connection, the ledger's open block. It takes 3 to 7
 * MB where nothing else runs, and more where answers come late.
 */
const WORKING_BYTES = 12 * 1024 * 1024;
/** Sizes grow as far as they may, however busy the machine is. */
const SETTINGS = { schema: 'flat', callBudget: '10s' };
const WRITE = `
for n = 0, tonumber(ARGV[1]) - 1 do
  redis.call('SET', 'blocking:heartbeat:coordinator-' .. n, '{"timestamp":' .. ARGV[2] .. '}')
  for ack = 1, tonumber(ARGV[3]) do redis.call('SET', 'blocking:ack:coordinator-' .. n .. ':' .. ack, '1') end
end`;

/** What lives while a recorded run sweeps so many, with so many things of each that only a walk finds, above what did before, in bytes. */
async function heldWith(
  stale: number,
  things = 0,
  memoryBudgetBytes = BUDGET_BYTES,
): Promise<{ readonly most: number; readonly least: number }> {
  const { redis, url } = server.current;
  await redis.flushall();
  await redis.eval(WRITE, 0, stale, (await nowOf(redis)) - 3_600_000, things);
  const live = () => {
    const { heapUsed, arrayBuffers } = liveMemory();
    return heapUsed + arrayBuffers;
  };
  let isLate = false;
  const recorder = ledgerIn(redis).record(runOf(`of-${stale}-${things}`), () => (isLate = true));
  const follower = new RunFollower(recorder);
  await recorder.begin();
  const before = live();
  const seen: number[] = [];
  let chunks = 0;
  const report = await clean(url, {
    settings: SETTINGS,
    memoryBudgetBytes,
    // While a chunk goes no page is under way.
    before: (name) => {
      // To let the collector go costs more than a chunk does.
      if (name.startsWith('eval') && chunks++ % 3 === 0) seen.push(live() - before);
    },
    observer: {
      ...follower.observer,
    },
  });
  await recorder.end({ outcome: report.outcome, report });
  expect(report.coordinators).toMatchObject({ stale, swept: stale });
  // On a very busy machine a run goes on without a record, which holds something else: another one is looked at.
  if (isLate) return await heldWith(stale, things, memoryBudgetBytes);
  // Late in a run: what is under way comes and goes, what is kept of each coordinator does not.
  return { most: Math.max(...seen), least: Math.min(...seen.slice(Math.ceil(seen.length / 2))) };
}

test('a recorded run keeps nothing of a coordinator that is gone, and holds no more than its budget and its working room (P9)', async () => {
  // The first one's code and connections stay.
  await heldWith(1_000);
  const fewer = await heldWith(FEWER);
  const more = await heldWith(MORE);
  const seen = JSON.stringify({ fewer, more });
  expect(more.most, seen).toBeLessThan(BUDGET_BYTES + WORKING_BYTES);
  expect(more.least - fewer.least, seen).toBeLessThan(GROWTH_BYTES);
});

test('nor of one that has gone in part, where all records fit the budget and what they left does not (P9)', async () => {
  const budgetBytes = 250 * PARTED;
  await heldWith(1_000, THINGS, budgetBytes);
  const { most } = await heldWith(PARTED, THINGS, budgetBytes);
  expect(most).toBeLessThan(budgetBytes + WORKING_BYTES);
});
