/** The record as runs leave it, from the queue and the command line, however they end (P13, P12). */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import type { HistoryRow } from '../../src/health/history.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { cli, start } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { populate } from '../support/populate.ts';
import { NEVER, useQueue } from '../support/queue.ts';
import { beat, heartbeatOf, nowOf, writeAll } from '../support/world.ts';
import { work } from '../support/worker.ts';

const queue = useQueue();
const BOUNDS = { sizeBytes: 64_000_000, ageMs: 90 * 86_400_000 };
function env(more: Record<string, string> = {}) {
  return { REDIS_URL: queue.server.url, LOG_LEVEL: 'warn', ...more };
}
async function history(...args: string[]): Promise<HistoryRow[]> {
  const { stdout, stderr } = await command(['history', '--json', ...args], env());
  expect(stderr).toBe('');
  return JSON.parse(stdout) as HistoryRow[];
}
function ledger() {
  return new Ledger(queue.server.redis, '{stalesweep}', BOUNDS);
}
async function oldest() {
  return (await ledger().find(Buffer.from('coordinator-1'), { limit: 10 })).swept;
}

const STALE = 1_900;
const ALL_SWEPT = { checked: 2_000, active: 100, stale: STALE, swept: STALE, revived: 0 };

/** A run that takes its time: one small call after the other, with long rests. */
const SLOW = { STALESWEEP_NICE: '20' };
/** Starts one; resolves once the ledger says that it removed something. */
async function underWay() {
  const running = start(['run', '--json'], env(SLOW));
  await expect.poll(async () => (await newest())?.removed.swept ?? 0).toBeGreaterThan(0);
  return running;
}
async function newest() {
  return (await ledger().history({ limit: 1 })).runs[0];
}

beforeEach(async () => {
  await populate(env(), 2_000, STALE);
});

describe('a run of the command line', () => {
  test('stands in the history with its report and whoever asked for it, and each coordinator it swept', async () => {
    const { stdout } = await cli(['run', '--json'], env());
    const report = JSON.parse(stdout) as Report;
    expect(report.coordinators).toMatchObject(ALL_SWEPT);
    expect(await history()).toEqual([
      expect.objectContaining({ run: report.run, target: 'default', state: 'completed', attempts: 1, report }),
    ]);
    expect((await history())[0]?.by).toMatch(/^.+@.+$/);
    const [found] = await oldest();
    expect(found?.batch.run).toBe(report.run);
    expect(await history('--removed', '--target', 'default', '--outcome', 'completed')).toHaveLength(1);
    expect(await history('--outcome', 'failed')).toEqual([]);
    expect(await history('--target', 'another')).toEqual([]);
  });

  test('leaves nothing behind with --no-record, nor as a dry run', async () => {
    await command(['run', '--dry-run'], env());
    await command(['run', '--no-record'], env());
    expect(await history()).toEqual([]);
    expect(await queue.server.redis.keys('{stalesweep}:ledger*')).toEqual([]);
  });

  test('goes on where nothing can be recorded, and says so in one line', async () => {
    const { code, stdout, stderr } = await command(['run', '--json'], env({ QUEUE_REDIS_URL: 'redis://127.0.0.1:1' }));
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Report).coordinators).toMatchObject(ALL_SWEPT);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('this run is not recorded')]);
  });

  test('that is interrupted prints the report so far, ends with 1, and stands in the history with the same', async () => {
    const running = await underWay();
    const { code, stdout } = await running.kill('SIGINT');
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ outcome: 'interrupted', reason: expect.stringContaining('SIGINT') });
    expect(report.coordinators.swept).toBeGreaterThan(0);
    expect(report.coordinators.swept).toBeLessThan(STALE);
    expect(await history()).toEqual([expect.objectContaining({ run: report.run, state: 'interrupted', report })]);
  });

  test('that is killed is shown as interrupted within 15 s, with its report so far', async () => {
    const running = await underWay();
    const told = (await newest())?.removed.swept ?? 0;
    await running.kill('SIGKILL');
    await expect.poll(async () => (await history())[0]?.state, { timeout: 15_000, interval: 500 }).toBe('interrupted');
    const left = (await queue.server.redis.keys('swarm:*:blocking:heartbeat:*')).length;
    // What it did in its last twentieth of a second may not be told.
    expect((await newest())?.removed.swept).toBeGreaterThanOrEqual(told);
    expect((await newest())?.removed.swept).toBeLessThanOrEqual(2_000 - left);
    const reason = 'its process ended without a word';
    const { swept, deleted } = (await newest())?.removed ?? {};
    const [row] = await history();
    expect(row?.failedReason).toBe(reason);
    expect(row?.report).toMatchObject({ run: row?.run, outcome: 'interrupted', reason, pass: 'full', dryRun: false });
    expect(row?.report?.coordinators).toMatchObject({ checked: 2_000, active: 100, stale: STALE, swept, revived: 0 });
    const { keys } = row?.report ?? {};
    expect(Object.values(keys?.byFamily ?? {}).reduce((sum, count) => sum + count, 0)).toBe(deleted);
    expect(keys).toMatchObject({ found: deleted, deleted, byFamily: { heartbeat: swept, ack: 2 * (swept ?? 0) } });
  });
});

test('a run from the queue stands there the same way, and one that failed before it began with its reason', async () => {
  await work(env(NEVER));
  const { stdout } = await command(['enqueue', '--wait', '--json'], env());
  const report = JSON.parse(stdout) as Report;
  expect(report.coordinators).toMatchObject(ALL_SWEPT);
  await queue.runs.add('cleanup', { target: 'default', staleAfter: '1s' });
  await expect.poll(async () => (await history())[0]?.state).toBe('failed');
  const rows = await history();
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatchObject({
    target: 'default',
    failedReason: expect.stringContaining('minStaleAfter'),
    report: null,
  });
  expect(rows[1]).toMatchObject({ run: report.run, target: 'default', state: 'completed', report });
  // However the queue's own history is emptied.
  await queue.runs.obliterate({ force: true });
  expect(await history()).toEqual([rows[1]]);
  expect((await oldest())[0]?.batch.run).toBe(report.run);
});

test('of many who fall silent between two runs nobody goes, and the report says until when (P12)', async () => {
  await queue.server.redis.flushall();
  const ids = Array.from({ length: 100 }, (_, i) => `c${i}`);
  const write = async (silentSeconds: (i: number) => number) => {
    const now = await nowOf(queue.server.redis);
    await writeAll(
      queue.server.redis,
      Object.fromEntries(ids.map((id, i) => [heartbeatOf(id), beat(now - silentSeconds(i) * 1000, id)])),
    );
  };
  const run = async (...args: string[]) =>
    JSON.parse((await command(['run', '--json', ...args], env())).stdout) as Report;
  await write(() => 10);
  expect((await run()).coordinators).toMatchObject({ active: 100, held: 0 });
  await write((i) => (i < 60 ? 700 : 10));
  const held = await run();
  expect(held).toMatchObject({ coordinators: { active: 40, held: 60, stale: 0 }, held: { since: expect.any(String) } });
  const still = await run();
  expect(still).toMatchObject({ coordinators: { active: 40, held: 60 }, held: { since: held.held?.since } });
  expect((await run('--force')).coordinators).toMatchObject({ active: 40, held: 0, swept: 60 });
  expect((await run()).held).toBeUndefined();
});
