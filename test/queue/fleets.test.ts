import { type Job, Queue, Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import { type Config, resolveConfig, type TargetConfig } from '../../src/config/resolve.ts';
import { addRun, enqueue } from '../../src/queue/runs/enqueue.ts';
import { readQueuedRuns } from '../../src/queue/runs/history.ts';
import { announce, meantBy } from '../../src/queue/members.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { runInProgress } from '../../src/queue/runs/overlap.ts';
import { listSchedules } from '../../src/queue/schedules/scheduleList.ts';
import { waitForRun } from '../../src/queue/runs/waitForRun.ts';
import { runOfTick } from '../../src/queue/schedules/tick.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { work } from '../support/worker.ts';
import { keysIn, settle } from '../support/world.ts';

// Two deployments, A and B, whose queues stand in the same Redis.

let queue: TestRedis;
let a: TestRedis;
let b: TestRedis;
let schedule: Queue;
let runs: Queue;
let open: { close(): Promise<void> }[];
beforeAll(async () => {
  [queue, a, b] = await Promise.all([startRedis(), startRedis(), startRedis()]);
  const options = { connection: { host: '127.0.0.1', port: queue.port }, prefix: '{stalesweep}' };
  schedule = new Queue('schedule', options);
  runs = new Queue('cleanup', options);
});
beforeEach(async () => {
  open = [];
  await Promise.all([queue, a, b].map(({ redis }) => redis.flushall()));
});
afterEach(async () => {
  for (const part of open.toReversed()) await part.close();
});
afterAll(async () => {
  for (const part of [schedule, runs]) await part.close();
  await Promise.all([queue, a, b].map((server) => server.stop()));
});

const QUIET = { onError: () => {}, onReady: () => {} };
/** A deployment with one target, named `default`. */
function of(server: TestRedis, more: Record<string, string> = {}): Config {
  return resolveConfig(
    {},
    { REDIS_URL: server.url, QUEUE_REDIS_URL: queue.url, STALESWEEP_CRON: '0 0 1 1 *', ...more },
  );
}
/** One with these targets. */
function configured(targets: Record<string, { url: string; id?: string }>): Config {
  const plain = Object.entries(targets).map(([name, { url, id }]) => [name, { url, ...(id ? { id } : {}) }]);
  const file = { cron: '0 0 1 1 *', queue: { url: queue.url }, targets: Object.fromEntries(plain) };
  const text = JSON.stringify(file);
  return resolveConfig({}, {}, { name: 'stalesweep.yaml', text });
}

/** Asks for a run and waits for its report. */
async function ask(config: Config, data: { target?: string; staleAfter?: string; force?: boolean } = {}) {
  const queues = await openQueues(config.queue, QUIET);
  open.push(queues);
  const { run } = await enqueue(queues.runs, config.targets, { target: 'default', ...data });
  return await waitForRun(queues, config.queue, QUIET, run);
}
async function schedules() {
  return (await schedule.getJobSchedulers())
    .map(({ key, template, pattern }) => ({ key, data: template?.data, pattern }))
    .sort((x, y) => (x.key < y.key ? -1 : 1));
}

test('a run asked for by A is never done by B on its own Redis, and is refused in one sentence', async () => {
  await settle(a.redis, 'c', 1_800);
  await settle(b.redis, 'c', 1_800);
  const [inA, inB] = [await keysIn(a.redis), await keysIn(b.redis)];
  await work(of(b, { STALESWEEP_STALE_AFTER: '1h' }));
  await expect(ask(of(a), { force: true })).rejects.toThrow(
    /^run 1 failed: job data: it is for another target "default" than the one configured here .*$/,
  );
  expect((await runs.getJob('1'))?.attemptsMade).toBe(1);
  expect([await keysIn(a.redis), await keysIn(b.redis)]).toEqual([inA, inB]);
});

test('while both have workers, each does its own runs, and neither takes the other for one that it can join', async () => {
  await settle(a.redis, 'c', 1_800);
  const inB = await settle(b.redis, 'c', 1_800);
  const [configA, configB] = [of(a), of(b, { STALESWEEP_STALE_AFTER: '1h' })];
  const first = await work(configB);
  const second = await work(configA);
  expect(second.log()).toContain('works on this queue (prefix {stalesweep}) too, and means other targets by');
  expect(first.log()).not.toContain('works on this queue');
  const [ofA, ofB] = await Promise.all([ask(configA), ask(configB)]);
  expect(ofA).toMatchObject({ outcome: 'completed', coordinators: { swept: 1 } });
  expect(ofB).toMatchObject({ outcome: 'completed', coordinators: { active: 1, swept: 0 } });
  expect(await keysIn(a.redis)).toEqual([]);
  expect(await keysIn(b.redis)).toEqual(inB.sort());
  // Each is shown its own as the last one.
  const shown = async (config: Config) => {
    const queues = await openQueues(config.queue, QUIET);
    open.push(queues);
    return (await listSchedules(queues, config.targets))[0]?.lastRun;
  };
  expect([await shown(configA), await shown(configB)]).toEqual([ofA.run, ofB.run]);
  for (const _ of [1, 2, 3, 4, 5]) {
    const [one, other] = await Promise.all([ask(configA), ask(configB)]);
    expect([one, other]).toMatchObject([{ coordinators: { checked: 0 } }, { coordinators: { active: 1, swept: 0 } }]);
  }
});

test('two that clean the same Redis by different schemas share a schedule, and each has its run of every tick, beside nobody (P11)', async () => {
  const configs = [of(a), of(a, { STALESWEEP_SCHEMA: 'flat' })];
  const fingerprints = configs.map((config) => fingerprintOf(config.targets.get('default') as TargetConfig)).sort();
  for (const config of configs) await work(config);
  expect(await schedules()).toHaveLength(1);
  const ended = async () => (await runs.getJobs(['completed', 'failed'])).filter((job) => job?.finishedOn);
  for (let ticks = 1; ticks <= 3; ticks++) {
    await schedule.add('tick', { target: 'default', fingerprint: fingerprints[ticks % 2] });
    await expect.poll(async () => (await ended()).length).toBe(2 * ticks);
  }
  const done = await ended();
  expect(done.map(({ returnvalue }) => returnvalue?.outcome)).toEqual(new Array(6).fill('completed'));
  expect(done.map(({ data }) => data.fingerprint).sort()).toEqual(
    fingerprints.flatMap((one) => new Array(3).fill(one)),
  );
});

test('of their runs that begin in the same millisecond one gives way to the other', async () => {
  const queues = await openQueues(of(a).queue, QUIET);
  open.push(queues);
  const both = [of(a), of(a, { STALESWEEP_SCHEMA: 'flat' })].map(
    ({ targets }) => targets.get('default') as TargetConfig,
  );
  for (const one of both) {
    const data = { target: 'default', trigger: 'schedule', fingerprint: fingerprintOf(one) } as const;
    await addRun(queues.runs, data, one.history);
  }
  const taker = new Worker(runs.name, null, runs.opts);
  open.push(taker);
  const given = both.map(async (one, n) => {
    const job = (await taker.getNextJob(String(n))) as Job;
    job.processedOn = 1;
    await queue.redis.hset(runs.toKey(String(job.id)), 'processedOn', 1);
    return [job, one] as const;
  });
  const giving = (await Promise.all(given)).map(async ([job, one]) => await runInProgress(queues.runs, job, one));
  expect(await Promise.all(giving)).toEqual([null, { run: '1', doesSame: false }]);
});

test('a tick that somebody takes who does not know its target is that of each who does, by whatever schema (P11)', async () => {
  const { queue: where } = of(a);
  const queues = await openQueues(where, QUIET);
  open.push(queues);
  const meant = [of(a), of(a, { STALESWEEP_SCHEMA: 'flat' })].map(({ targets }) => meantBy(targets));
  for (const [n, one] of meant.entries()) await announce(queues, { id: String(n), by: 'host:1' }, one);
  const fingerprints = meant.map(({ targets }) => targets.default as string).sort();
  const { targets } = configured({ elsewhere: { url: b.url } });
  // By the last of these nobody goes any more.
  for (const fingerprint of [...fingerprints, fingerprints[0]?.replace(/-.*/, '-00000000')]) {
    await runOfTick(queues, targets, { target: 'default', fingerprint });
    expect((await runs.getWaiting()).map(({ data }) => data.fingerprint).sort()).toEqual(fingerprints);
    await runs.obliterate();
  }
});

test('the run of a tick whose deployment went by another schema, and was killed, is that of who is left: nothing fails', async () => {
  const queues = await openQueues(of(a).queue, QUIET);
  open.push(queues);
  const meant = meantBy(of(a, { STALESWEEP_SCHEMA: 'flat' }).targets);
  const killed = { id: 'killed', by: 'host:1' };
  await announce(queues, killed, meant);
  await work(of(a));
  await settle(a.redis, 'c', 1_800);
  await runOfTick(queues, of(a).targets, { target: 'default' });
  const both = async () => (await runs.getJobs()).filter((job) => job !== undefined);
  await expect.poll(async () => (await both()).map(({ delay }) => delay > 0).sort()).toEqual([false, true]);
  // As after a minute.
  await announce(queues, killed, meant, true);
  await expect
    .poll(async () => (await both()).map(({ returnvalue }) => returnvalue?.outcome))
    .toEqual(['completed', 'completed']);
  expect(await keysIn(a.redis)).toEqual([]);
});

test('who works on the same target by other settings is told so as it starts; one of an earlier version tells none', async () => {
  const [key, field] = ['{stalesweep}:members', 'earlier'];
  const targets = { default: fingerprintOf((of(a).targets.get('default') ?? null) as TargetConfig) };
  await queue.redis.hset(key, field, JSON.stringify({ by: 'earlier:1', at: Date.now(), left: false, targets }));
  const first = await work(of(a));
  expect(first.log()).not.toContain('earlier:1');
  const alike = await work(of(a, { STALESWEEP_CONCURRENCY: '1' }));
  expect(alike.log()).not.toContain('works on this queue');
  const otherwise = await work(of(a, { STALESWEEP_STALE_AFTER: '1h', STALESWEEP_PROTECT: 'leader' }));
  expect(
    otherwise.log().match(/cleans ."default." with another staleAfter, protect: of what keeps things/g),
  ).toHaveLength(2);
  expect(otherwise.log()).not.toContain('earlier:1');
});

test('a job that does not say which of two it means is refused; while there is but one, it runs', async () => {
  const add = async () => String((await runs.add('cleanup', { target: 'default', staleAfter: '10m' })).id);
  const failure = async (run: string) => (await runs.getJob(run))?.failedReason;
  await settle(a.redis, 'c', 1_800);
  const inB = await settle(b.redis, 'c', 1_800);
  const first = await work(of(a));
  const done = await add();
  await expect
    .poll(async () => (await runs.getJob(done))?.returnvalue)
    .toMatchObject({ outcome: 'completed', coordinators: { swept: 1 } });
  await work(of(b, { STALESWEEP_STALE_AFTER: '1h' }));
  for (const refused of [await add(), await add(), await add()]) {
    await expect
      .poll(() => failure(refused))
      .toMatch(/^job data: "default" means different targets here and for .*"stalesweep enqueue"/);
  }
  // Even when those who mean the other one have gone meanwhile.
  await first.close();
  const refused = await add();
  await expect.poll(() => failure(refused)).toContain('different targets');
  expect(await keysIn(b.redis)).toEqual(inB.sort());
});

test.each([
  ['other names', { first: 'a' }, { second: 'b' }],
  ['the same name', { one: 'a' }, { one: 'b' }],
  ['one of their targets in common', { shared: 'a', first: 'a' }, { shared: 'a', second: 'b' }],
  ['one more in a new configuration', { one: 'a', two: 'b' }, { one: 'a' }],
] as const)('nobody changes or removes what the other has scheduled: %s', async (_, ofA, ofB) => {
  const servers = { a, b };
  const config = (targets: Readonly<Record<string, 'a' | 'b'>>) =>
    configured(Object.fromEntries(Object.entries(targets).map(([name, server]) => [name, servers[server]])));
  const [configA, configB] = [config(ofA), config(ofB)];
  await work(configA);
  const declared = await schedules();
  expect(declared).toHaveLength(Object.keys(ofA).length);
  const second = await work(configB);
  expect(await schedules()).toEqual(expect.arrayContaining(declared));
  // Each sees its own.
  const queues = await openQueues(configB.queue, QUIET);
  open.push(queues);
  const shown = await listSchedules(queues, configB.targets);
  expect(shown.map(({ target, nextAt }) => [target, nextAt !== null])).toEqual(
    Object.keys(ofB).map((name) => [name, true]),
  );
  await second.close();
  await work(configA);
  expect(await schedules()).toEqual(expect.arrayContaining(declared));
});

test('a schedule goes with its target once nobody has that any more, and comes back with it', async () => {
  const both = await work(configured({ one: a, two: b }));
  await both.close();
  const keys = async () => (await schedules()).map(({ key }) => key);
  const one = await work(configured({ one: a }));
  expect(await keys()).toEqual(['cleanup:one']);
  await one.close();
  await work(configured({ one: a, two: b }));
  expect(await keys()).toEqual(['cleanup:one', 'cleanup:two']);
});

test('a run of a target that is new is left to the workers that know it, and burns no attempt meanwhile', async () => {
  await settle(b.redis, 'c', 1_800);
  const older = await work(configured({ one: a }));
  const config = configured({ one: a, two: b });
  const asked = ask(config, { target: 'two' });
  await expect.poll(async () => (await runs.getJob('1'))?.attemptsStarted ?? 0).toBeGreaterThan(1);
  expect(await runs.getJob('1')).toMatchObject({ attemptsMade: 0 });
  await work(config);
  expect(await asked).toMatchObject({ target: 'two', outcome: 'completed', attempts: 1, coordinators: { swept: 1 } });
  expect(older.log()).not.toContain('"level":50');
});

test('a run of a target that nobody knows is left for a minute, without haste, and then fails in one sentence', async () => {
  await work(configured({ one: a }));
  // Most of that minute is over.
  const leftAt = Date.now() - 57_000;
  await queue.redis.set('{stalesweep}:left:left', leftAt);
  await runs.add('cleanup', { target: 'two' }, { attempts: 3, jobId: 'left' });
  const job = async () => await runs.getJob('left');
  await expect.poll(async () => (await job())?.failedReason).toBe('job data: unknown target "two"; allowed: one');
  const after = await job();
  expect(after?.attemptsMade).toBe(1);
  expect(Number(after?.finishedOn) - leftAt).toBeGreaterThanOrEqual(60_000);
  // Once a second; on a machine that does much else, less often.
  expect(after?.attemptsStarted).toBeGreaterThan(1);
  expect(after?.attemptsStarted).toBeLessThan(10);
});

test('with a prefix each, both work, and neither sees the other', async () => {
  await settle(a.redis, 'c', 1_800);
  await settle(b.redis, 'c', 1_800);
  const configs = [of(a, { STALESWEEP_QUEUE_PREFIX: '{team-a}' }), of(b, { STALESWEEP_QUEUE_PREFIX: 'team-b' })];
  const workers = await Promise.all(configs.map(async (config) => await work(config)));
  for (const config of configs) {
    expect(await ask(config)).toMatchObject({ outcome: 'completed', coordinators: { swept: 1 } });
    const queues = await openQueues(config.queue, QUIET);
    open.push(queues);
    expect(await readQueuedRuns(queues.runs, 10)).toHaveLength(1);
  }
  expect([await keysIn(a.redis), await keysIn(b.redis)]).toEqual([[], []]);
  for (const worker of workers) expect(worker.log()).not.toContain('works on this queue');
  // The queues that this file opened itself.
  const ofTest = ['{stalesweep}:cleanup:meta', '{stalesweep}:schedule:meta'];
  const others = (await keysIn(queue.redis)).filter((key) => !ofTest.includes(key));
  expect(new Set(others.map((key) => key.split(':')[0]))).toEqual(new Set(['{team-a}', 'team-b']));
});

test('the same Redis under two addresses is one target where it has an id', async () => {
  await settle(a.redis, 'c', 1_800);
  await work(configured({ default: { url: `redis://127.0.0.1:${a.port}`, id: 'main' } }));
  const report = await ask(configured({ default: { url: `redis://localhost:${a.port}`, id: 'main' } }));
  expect(report).toMatchObject({ outcome: 'completed', coordinators: { swept: 1 } });
});
