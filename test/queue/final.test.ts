import { Queue, QueueEvents } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followRuns } from '../../src/dashboard/followRuns.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { createLogger } from '../../src/log/logger.ts';
import { Outage } from '../../src/log/outages.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { readQueuedRuns } from '../../src/queue/runs/history.ts';
import { type Running, startWorker } from '../../workers/worker.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { keysIn, settle } from '../support/world.ts';

// Finished runs of a worker, and all that can be done to them from outside.

const PAST = 50;
const QUIET = { onError: () => {}, onReady: () => {} };
const CLEANUP = '/queues/api/queues/cleanup';

let server: TestRedis;
let target: TestRedis;
let dashboard: TestDashboard;
let worker: Running;
let following: { close(): Promise<void> };
let foreign: Queue;
let events: QueueEvents;
/** Of the worker itself. */
const own = new Metrics();
/** Ids of the finished runs: completed, dry, refused and failed ones. */
let past: string[];

async function follow(metrics: Metrics) {
  const { config, logger, queues } = dashboard;
  const { queue, targets } = config;
  const ledger = new Ledger(queues.connection, queues.prefix, config.process.ledger);
  return await followRuns({ queue, watch: QUIET, queues, ledger, targets, metrics, logger });
}

/** A run that fails ends, too. */
async function ended(run: string): Promise<void> {
  await (await foreign.getJob(run))?.waitUntilFinished(events).catch(() => {});
}

beforeAll(async () => {
  [server, target] = await Promise.all([startRedis(), startRedis()]);
  const env = { REDIS_URL: target.url, QUEUE_REDIS_URL: server.url, STALESWEEP_CRON: '0 0 1 1 *' };
  dashboard = await startDashboard(env, { yaml: 'maxStaleFraction: 0.5' });
  following = await follow(dashboard.metrics);
  const options = { connection: { host: '127.0.0.1', port: server.port }, prefix: '{stalesweep}' };
  foreign = new Queue('cleanup', options);
  events = new QueueEvents('cleanup', options);
  await events.waitUntilReady();
  const onEnded = (report: Parameters<Metrics['reported']>[0] | null, name: string) =>
    report === null ? own.failed(name) : own.reported(report);
  worker = await startWorker({
    config: dashboard.config,
    metrics: own,
    logger: createLogger('silent'),
    outage: new Outage(createLogger('silent'), 'queue'),
    onEnded,
  });
  past = [];
  for (let i = 0; i < PAST; i++) {
    // The share of stale ones counts from ten on.
    for (let n = 0; n < (i % 4 === 2 ? 12 : 1); n++) await settle(target.redis, `c${i}-${n}`, 1_800);
    const kinds = [{ force: true }, { dryRun: true, force: true }, {}, { staleAfter: '1s' }] as const;
    const { id } = await foreign.add('cleanup', { target: 'default', ...kinds[i % kinds.length] });
    past.push(String(id));
    await ended(String(id));
  }
}, 180_000);
afterAll(async () => {
  await worker?.close();
  await following?.close();
  await events?.close();
  await foreign?.close();
  await dashboard?.close();
  await Promise.all([server?.stop(), target?.stop()]);
});

async function rowsOf(runs: readonly string[]) {
  const rows = await readQueuedRuns(dashboard.queues.runs, 1_000);
  return runs.map((run) => rows.find((row) => row.run === run));
}
/** What the ledger says of the past runs, and every byte of what it keeps of those they swept. */
async function recorded() {
  const ledger = new Ledger(server.redis, '{stalesweep}', dashboard.config.process.ledger);
  const { runs } = await ledger.history({ limit: 1_000 });
  const names = (await server.redis.keys('{stalesweep}:ledger:swept/*')).sort();
  const bytes = await Promise.all(names.map(async (name) => (await server.redis.getBuffer(name))?.toString('hex')));
  return {
    runs: past.map((run) => runs.find((row) => row.run === run) ?? null),
    swept: Object.fromEntries(names.map((name, i) => [name, bytes[i]])),
  };
}
async function newRuns(): Promise<string[]> {
  const rows = await readQueuedRuns(dashboard.queues.runs, 1_000);
  return rows.map(({ run }) => run).filter((run) => !past.includes(run));
}
/** What is counted of runs, by this dashboard and by the worker. */
async function counted(): Promise<string> {
  const texts = await Promise.all([dashboard.metrics, own].map((metrics) => metrics.registry.metrics()));
  const lines = texts.join('\n').split('\n');
  return lines.filter((line) => /^stalesweep_(runs|run_|coordinators|keys_|memory)/.test(line)).join('\n');
}
function runsIn(text: string): number {
  return [...text.matchAll(/^stalesweep_runs_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
}
async function nothingWaits(): Promise<void> {
  await expect.poll(() => foreign.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized')).toBe(0);
}

test('job.retry() by another program: every report stays, byte for byte, nothing is counted again, and new runs are new', async () => {
  const before = await rowsOf(past);
  const record = await recorded();
  // One in four has wrong data, and never began.
  expect(record.runs.filter((row) => row !== null)).toHaveLength(Math.ceil((PAST * 3) / 4));
  expect(Object.keys(record.swept).length).toBeGreaterThan(0);
  expect(new Set(before.map((row) => row?.report?.outcome ?? row?.state))).toEqual(
    new Set(['completed', 'refused', 'failed']),
  );
  await expect.poll(async () => runsIn(await counted())).toBe(2 * PAST);
  const [countedBefore, known] = [await counted(), await newRuns()];
  for (const run of past) {
    const job = await foreign.getJob(run);
    await job?.retry((await job.getState()) as 'completed' | 'failed', { resetAttemptsMade: Number(run) % 2 === 0 });
  }
  await nothingWaits();
  expect(await rowsOf(past)).toEqual(before);
  expect(await recorded()).toMatchObject(record);
  for (const [i, run] of past.entries()) {
    const job = await foreign.getJob(run);
    if (before[i]?.report) expect(job?.returnvalue).toEqual(before[i]?.report);
    expect((await foreign.getJobLogs(run)).logs.at(-1)).toMatch(/^this run had ended before[;,] (run \d+|and can't)/);
  }
  const added = (await newRuns()).filter((run) => !known.includes(run));
  expect(added.length).toBeGreaterThan(0);
  // Of what is counted, only the new runs are more.
  await expect.poll(async () => runsIn(await counted())).toBe(runsIn(countedBefore) + 2 * added.length);
});

test('Retry in Bull Board, of one and of all, starts new runs and leaves the finished ones alone', async () => {
  const before = await rowsOf(past);
  const record = await recorded();
  const jobsBefore = await Promise.all(
    past.map(async (run) => await server.redis.hgetall(`{stalesweep}:cleanup:${run}`)),
  );
  const known = await newRuns();
  expect((await dashboard.send('PUT', `${CLEANUP}/${past[0]}/retry`, {})).status).toBe(204);
  await nothingWaits();
  expect((await newRuns()).filter((run) => !known.includes(run))).toHaveLength(1);
  for (const state of ['completed', 'failed']) {
    const answer = await dashboard.send('PUT', `${CLEANUP}/retry/${state}`, {});
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ retried: expect.any(Number), skipped: expect.any(Number) });
    await nothingWaits();
  }
  expect(await rowsOf(past)).toEqual(before);
  expect(await recorded()).toMatchObject(record);
  const jobs = await Promise.all(past.map(async (run) => await server.redis.hgetall(`{stalesweep}:cleanup:${run}`)));
  expect(jobs).toEqual(jobsBefore);
});

test('edit, promote, duplicate, remove and clean in Bull Board change no report and no count', async () => {
  const before = await rowsOf(past);
  const record = await recorded();
  const countedBefore = await counted();
  const [first = '', second = ''] = past;
  for (const [method, edit, body] of [
    ['PATCH', 'update-data', { jobData: { target: 'default' } }],
    ['PUT', 'promote', {}],
    ['PATCH', 'delay', { delay: 1_000 }],
    ['PATCH', 'priority', { priority: 1 }],
  ] as const) {
    const edited = await dashboard.send(method, `${CLEANUP}/${first}/${edit}`, body);
    expect([edited.status, await edited.text()]).toEqual([409, expect.stringContaining('a finished run is final')]);
  }
  expect((await dashboard.send('PUT', `${CLEANUP}/promote`, {})).status).toBe(200);
  expect(await rowsOf(past)).toEqual(before);
  expect(await counted()).toBe(countedBefore);
  // Its form is filled in with all there is of a finished run, which is asked for anew.
  for (const run of past.slice(0, 8)) {
    const job = await foreign.getJob(run);
    const [known, runs] = [await newRuns(), runsIn(await counted())];
    const options = { ...job?.opts, jobId: run };
    const answer = await dashboard.send('POST', `${CLEANUP}/add`, { name: job?.name, data: job?.data, options });
    await nothingWaits();
    const added = (await newRuns()).filter((one) => !known.includes(one));
    // What had wrong data is refused, as it was before.
    expect([answer.status < 300, added.length]).toEqual(
      before[past.indexOf(run)]?.state === 'failed' ? [false, 0] : [true, 1],
    );
    await expect.poll(async () => runsIn(await counted())).toBe(runs + 2 * added.length);
  }
  expect(await rowsOf(past)).toEqual(before);
  expect(await recorded()).toMatchObject(record);
  const countedAfter = await counted();
  expect((await dashboard.send('PUT', `${CLEANUP}/${second}/clean`, {})).status).toBe(204);
  expect(await rowsOf(past)).toEqual(before.map((row) => (row?.run === second ? undefined : row)));
  expect(await counted()).toBe(countedAfter);
  const kept = await keysIn(target.redis);
  expect((await dashboard.send('PUT', `${CLEANUP}/clean/completed`, {})).status).toBe(200);
  expect((await dashboard.send('PUT', `${CLEANUP}/clean/failed`, {})).status).toBe(200);
  expect(await counted()).toBe(countedAfter);
  expect(await recorded()).toMatchObject(record);
  expect(await keysIn(target.redis)).toEqual(kept);
});

test('a dashboard that starts after all that, and after the queue has forgotten its runs, shows the same present state', async () => {
  const present = async (metrics: Metrics) =>
    (await metrics.registry.metrics())
      .split('\n')
      .filter((line) => /^stalesweep_(coordinators\{|unreadable_|last_success_)/.test(line))
      .sort();
  const before = await present(dashboard.metrics);
  expect(before).toHaveLength(8);
  await foreign.clean(0, 1_000, 'completed');
  const metrics = new Metrics();
  await (await follow(metrics)).close();
  expect(await present(metrics)).toEqual(before);
});

test('a refused run is told apart in its progress and its log', async () => {
  await Promise.all([...Array(12).keys()].map((i) => settle(target.redis, `late${i}`, 1_800)));
  const { run } = await enqueue(dashboard.queues.runs, dashboard.config.targets, { target: 'default' });
  await ended(run);
  const answer = (await (await dashboard.ask(`${CLEANUP}/${run}`)).json()) as { job: { progress: unknown } };
  expect(answer.job.progress).toMatchObject({ outcome: 'refused', reason: expect.any(String) });
  expect((await foreign.getJobLogs(run)).logs.at(-1)).toMatch(/^refused: ./);
});
