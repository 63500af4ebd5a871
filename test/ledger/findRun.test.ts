/** One run by its id, where it is known when it was and where nothing is, beside others of the same id, in pages of any age. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findRun } from '../../src/ledger/runs/findRun.ts';
import { KeptPages } from '../../src/ledger/runs/keptPages.ts';
import { chainName, instantOf } from '../../src/ledger/runs/names.ts';
import { PAGE_HEAD_BYTES, writePage } from '../../src/ledger/runs/page.ts';
import type { PastRun } from '../../src/ledger/runs/pastRun.ts';
import { instantOfRunId, newRunId } from '../../src/ledger/runs/runId.ts';
import { seal, unseal, VERSION_BYTES } from '../../src/ledger/sealed.ts';
import { useRedis } from '../support/leaks.ts';
import { blocksIn, ledgerIn, reportOf, runOf, unexpected } from './story.ts';

const server = useRedis();
const TARGETS = ['a', 'b', 'a.b'];
const CHAINS = ['completed', 'completed+', 'failed'];
const HOUR = 3_600_000;

function past(run: string, target: string, atMs: number): PastRun {
  const identity = { ...runOf(run, target), by: '"run":"x"', state: 'ended', outcome: 'completed' } as const;
  const { families: _, ...rest } = identity;
  const removed = { swept: 1, deleted: 6 };
  const report = reportOf(run, target, 1);
  return { ...rest, startedAtMs: atMs - 1_500, atMs, attempts: 1, reason: null, removed, report };
}

/** Ids as the queue and the command line give them out, and as nobody does; some more than once. */
function someId(n: number, atMs: number): string {
  if (n % 11 === 0) return String(n % 33);
  if (n % 3 === 0) return newRunId(atMs - 1_500);
  return n % 3 === 1 ? String(n) : randomBytes(5).toString('latin1');
}

test('finds the newest run of an id, whatever else is known of it, and none that is not there or too old', async () => {
  const { redis } = server.current;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ runs: fc.integer({ min: 1, max: 4 }), target: fc.nat(2), chain: fc.nat(2), old: fc.boolean() }),
        {
          minLength: 200,
          maxLength: 1_400,
        },
      ),
      async (pages) => {
        await redis.flushall();
        const blocks = blocksIn(redis);
        const now = await blocks.nowMs();
        for (const target of TARGETS) await blocks.addTarget(target);
        const all: PastRun[] = [];
        const commands = redis.pipeline();
        let n = 0;
        let atMs = now - pages.length * HOUR;
        for (const { runs, target, chain, old } of pages) {
          const name = TARGETS[target] as string;
          const lines = Array.from({ length: runs }, () => {
            atMs += HOUR / 4;
            const run = past(someId(++n, atMs), name, atMs);
            all.push(run);
            return run;
          });
          const page = await writePage(lines.map((run) => JSON.stringify(run)));
          const sealed = old ? seal([unseal(page).subarray(PAGE_HEAD_BYTES - VERSION_BYTES)]) : page;
          const block = `${chainName(name, CHAINS[chain] as string)}${instantOf(lines[0]?.atMs ?? 0)}`;
          commands.set(blocks.keyOf(block), sealed);
          commands.zadd(blocks.keyOf('names'), 0, block);
          commands.zadd(blocks.keyOf('ages'), atMs, block);
        }
        await commands.exec();
        const newestOf = (id: string, target?: string) =>
          all.findLast(({ run, target: its }) => run === id && (target === undefined || its === target));
        const find = async (wanted: Parameters<typeof findRun>[2]) => {
          const found = await findRun(blocks, new KeptPages(), wanted);
          return found && [found.run, found.target, found.atMs];
        };
        const told = (run: PastRun | undefined) => (run === undefined ? null : [run.run, run.target, run.atMs]);
        for (let i = 0; i < 20; i++) {
          const { run, target, atMs: endedAtMs, startedAtMs } = all[Math.floor(Math.random() * all.length)] as PastRun;
          expect(await find({ run })).toEqual(told(newestOf(run)));
          expect(await find({ run, target })).toEqual(told(newestOf(run, target)));
          expect(await find({ run, target, endedAtMs })).toEqual([run, target, endedAtMs]);
          expect(await find({ run, target, startedAtMs })).toEqual(expect.arrayContaining([run, target]));
        }
        for (const run of ['x', 'default', '', newRunId(now)]) expect(await find({ run })).toBeNull();
        const [oldest] = all as [PastRun];
        const young = blocksIn(redis, { ageMs: now - oldest.atMs - 1_000 });
        const isAlone = newestOf(oldest.run) === oldest;
        if (isAlone) expect(await findRun(young, new KeptPages(), { run: oldest.run })).toBeNull();
      },
    ),
    { numRuns: 3 },
  );
}, 120_000);

test('finds a run under way, and once it has ended', async () => {
  const ledger = ledgerIn(server.current.redis);
  const run = newRunId(Date.now());
  expect(instantOfRunId(run)).toBeLessThanOrEqual(Date.now());
  const recorder = ledger.record(runOf(run), unexpected);
  await recorder.begin();
  expect(await ledger.findRun({ run })).toMatchObject({ run, state: 'active' });
  await recorder.end({ outcome: 'completed', report: reportOf(run, 'default', 0) });
  expect(await ledger.findRun({ run })).toMatchObject({ run, state: 'ended' });
});
