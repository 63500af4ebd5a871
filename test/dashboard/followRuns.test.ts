import { Worker } from 'bullmq';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { followRuns } from '../../src/dashboard/followRuns.ts';
import type { Outcome, Report } from '../../src/domain/report.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { QUEUE_PREFIX as PREFIX } from '../../src/domain/ownKeys.ts';
import { RUN_QUEUE } from '../../src/queue/names.ts';
import type { RunData } from '../../src/queue/runs/payload.ts';
import { connectQueue } from '../../src/queue/queues.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { ledgerIn, noteRun } from '../support/pastRuns.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let dashboard: TestDashboard;
beforeEach(async () => {
  redis = await startRedis();
  dashboard = await startDashboard({ REDIS_URL: redis.url });
});
afterEach(async () => {
  await dashboard?.close();
  await expectNoLeaks(redis);
  await redis?.stop();
});

const SUCCESS_SECONDS = Date.parse('2026-01-02T03:04:05.000Z') / 1000;

function report(outcome: Outcome, finishedAt = '2026-01-02T03:04:05.000Z'): Report {
  return {
    run: '1',
    target: 'default',
    trigger: 'manual',
    dryRun: false,
    outcome,
    pass: 'full',
    startedAt: '2026-01-02T03:04:00.000Z',
    finishedAt,
    durationMs: 5_000,
    staleAfterSeconds: 600,
    coordinators: {
      checked: 10,
      active: 1,
      stale: 8,
      unreadable: 1,
      held: 0,
      protected: 0,
      lapsed: 0,
      swept: 7,
      revived: 1,
    },
    silence: [],
    keys: { found: 20, deleted: 20, orphans: 0, kept: 0, byFamily: { heartbeat: 7, signal: 13 } },
    redis: { calls: 9, slowestCallMs: 1, memoryFreedBytes: 4096 },
    chunks: 1,
    strategy: 'script',
    attempts: 1,
    unreadable: [],
  };
}

interface Ending {
  readonly act: () => unknown;
  readonly target?: string;
  readonly attempts?: number;
}

/** Adds a job for each, lets a worker do them, and resolves once all have ended for good. */
async function work(...endings: readonly Ending[]): Promise<void> {
  const connection = await connectQueue(redis.url, { onError: () => {}, onReady: () => {} }, true);
  const options = { connection, prefix: PREFIX };
  const worker = new Worker<RunData>(RUN_QUEUE, async (job) => endings[Number(job.name)]?.act(), options);
  worker.on('error', () => {});
  await new Promise<void>((resolve) => {
    let left = endings.length;
    const ended = () => {
      left -= 1;
      if (left === 0) resolve();
    };
    worker.on('completed', ended);
    worker.on('failed', (job) => job?.finishedOn !== undefined && ended());
    for (const [i, { target = 'default', attempts = 1 }] of endings.entries()) {
      void dashboard.queues.runs.add(String(i), { target }, { attempts });
    }
  });
  await worker.close();
  connection.disconnect();
}

const completes: Ending = { act: () => report('completed') };
function fails(target?: string, attempts?: number): Ending {
  return {
    act: () => {
      throw new Error('no');
    },
    ...(target && { target }),
    ...(attempts && { attempts }),
  };
}

function past() {
  return ledgerIn(dashboard.queues.connection);
}

async function follow() {
  const metrics = new Metrics();
  const { queues, config, logger } = dashboard;
  const watch = { onError: () => {}, onReady: () => {} };
  const { targets } = config;
  const following = await followRuns({ queue: redis.url, watch, queues, ledger: past(), targets, metrics, logger });
  const value = async (name: string): Promise<number | undefined> => {
    const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  };
  return { value, close: following.close };
}

function runs(outcome: string, target = 'default') {
  return `stalesweep_runs_total{target="${target}",outcome="${outcome}"}`;
}

it('knows every counter from the start, at 0', async () => {
  const { value, close } = await follow();
  for (const outcome of ['completed', 'refused', 'skipped', 'failed']) expect(await value(runs(outcome))).toBe(0);
  expect(await value('stalesweep_keys_deleted_total{target="default",family="heartbeat"}')).toBe(0);
  expect(await value('stalesweep_coordinators_total{target="default",state="stale"}')).toBe(0);
  expect(await value('stalesweep_run_duration_seconds_bucket{le="10",target="default"}')).toBe(0);
  await close();
});

it('counts the runs of all workers, once each', async () => {
  const { value, close } = await follow();
  await work(completes, { act: () => report('refused') }, { act: () => report('skipped') });
  await expect.poll(() => value(runs('skipped'))).toBe(1);
  expect(await value(runs('completed'))).toBe(1);
  expect(await value(runs('refused'))).toBe(1);
  expect(await value('stalesweep_keys_deleted_total{target="default",family="signal"}')).toBe(13);
  expect(await value('stalesweep_last_success_timestamp_seconds{target="default"}')).toBe(SUCCESS_SECONDS);
  expect(await value('stalesweep_run_duration_seconds_count{target="default"}')).toBe(2);
  await close();
});

it('counts a failure once, when no attempt is left', async () => {
  const { value, close } = await follow();
  await work(fails('default', 3));
  await work(completes);
  await expect.poll(() => value(runs('completed'))).toBe(1);
  expect(await value(runs('failed'))).toBe(1);
  await close();
});

it('takes from past runs the last success, and counts none of them again, though the queue keeps no job of theirs', async () => {
  const target = dashboard.config.targets.get('default');
  if (target === undefined) throw new Error('no target');
  await noteRun(past(), target, {
    finishedAt: '2026-01-01T00:00:00.000Z',
    coordinators: { checked: 3, unreadable: 3 },
  });
  const finishedAt = '2026-01-02T03:04:05.000Z';
  await noteRun(past(), target, { finishedAt, coordinators: { checked: 8, active: 7, unreadable: 1 } });
  await noteRun(past(), target, { finishedAt: '2026-01-03T00:00:00.000Z', dryRun: true, pass: 'none' });
  // However many of the command line came since: they are counted nowhere.
  for (let n = 0; n < 100; n++) await noteRun(past(), target, { trigger: 'cli' });
  const { value, close } = await follow();
  expect(await value('stalesweep_last_success_timestamp_seconds{target="default"}')).toBe(SUCCESS_SECONDS);
  expect(await value('stalesweep_unreadable_heartbeats{target="default"}')).toBe(1);
  expect(await value('stalesweep_coordinators{target="default",state="active"}')).toBe(7);
  expect(await value(runs('completed'))).toBe(0);
  await close();
});

it('takes a dry run for a success where the schedule made it, and not where somebody asked for one', async () => {
  const { value, close } = await follow();
  const dry = { ...report('completed'), dryRun: true };
  await work({ act: () => dry });
  await expect.poll(() => value(runs('completed'))).toBe(1);
  expect(await value('stalesweep_last_success_timestamp_seconds{target="default"}')).toBeUndefined();
  await work({ act: () => ({ ...dry, trigger: 'schedule' }) });
  await expect.poll(() => value(runs('completed'))).toBe(2);
  expect(await value('stalesweep_last_success_timestamp_seconds{target="default"}')).toBe(SUCCESS_SECONDS);
  await close();
});

it('goes on counting after jobs whose return value or data make no sense', async () => {
  const { value, close } = await follow();
  const returned = [
    'nonsense',
    null,
    { outcome: 'completed' },
    { ...report('completed'), target: 'made-up' },
    { ...report('completed'), keys: {} },
  ];
  await work(...returned.map((given) => ({ act: () => given })), fails('made-up'));
  await work(completes);
  await expect.poll(() => value(runs('completed'))).toBe(1);
  expect(await value(runs('failed', 'unknown'))).toBe(1);
  expect(await value(runs('failed', 'made-up'))).toBeUndefined();
  expect(await value(runs('completed', 'made-up'))).toBeUndefined();
  await close();
});

it('misses no run that ended while its connection was broken', async () => {
  const { value, close } = await follow();
  await work(completes);
  await expect.poll(() => value(runs('completed'))).toBe(1);
  await redis.redis.call('CLIENT', 'KILL', 'TYPE', 'normal');
  await work(completes);
  await expect.poll(() => value(runs('completed'))).toBe(2);
  await close();
});

it('ends at once while its queue is away', async () => {
  const away = await startRedis();
  const { queues, config, logger } = dashboard;
  let lost: () => void = () => {};
  const refused = new Promise<void>((resolve) => {
    lost = resolve;
  });
  const watch = { onError: () => lost(), onReady: () => {} };
  const ledger = past();
  const parts = { queue: away.url, watch, queues, ledger, targets: config.targets, metrics: new Metrics(), logger };
  const following = await followRuns(parts);
  await away.stop();
  await refused;
  await following.close();
});
