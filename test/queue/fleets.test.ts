import { Queue } from 'bullmq';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli, startWorker } from '../support/cli.ts';
import { configFile } from '../support/files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { keysIn, settle } from '../support/world.ts';

// Two deployments, A and B, whose queues stand in the same Redis.

let queue: TestRedis;
let a: TestRedis;
let b: TestRedis;
let schedule: Queue;
let runs: Queue;
beforeEach(async () => {
  [queue, a, b] = await Promise.all([startRedis(), startRedis(), startRedis()]);
  const options = { connection: { host: '127.0.0.1', port: queue.port }, prefix: '{stalesweep}' };
  schedule = new Queue('schedule', options);
  runs = new Queue('cleanup', options);
});
afterEach(async () => {
  await schedule.close();
  await runs.close();
  await Promise.all([queue, a, b].map((server) => server.stop()));
});

const WITHIN = { timeout: 20_000 };
const NEVER = '0 0 1 1 *';
const of = (server: TestRedis, more: Record<string, string> = {}): Record<string, string> => ({
  REDIS_URL: server.url,
  QUEUE_REDIS_URL: queue.url,
  STALESWEEP_CRON: NEVER,
  ...more,
});
const configured = async (targets: Record<string, TestRedis>): Promise<Record<string, string>> => {
  const lines = Object.entries(targets).map(([name, { url }]) => `  ${name}: { url: "${url}" }`);
  const file = await configFile(`cron: "${NEVER}"\nqueue: { url: "${queue.url}" }\ntargets:\n${lines.join('\n')}\n`);
  return { STALESWEEP_CONFIG: file };
};
const schedules = async () =>
  (await schedule.getJobSchedulers())
    .map(({ key, template, pattern }) => ({ key, data: template?.data, pattern }))
    .sort((x, y) => (x.key < y.key ? -1 : 1));
const enqueue = async (env: Record<string, string>, ...more: string[]) =>
  await cli(['enqueue', '--wait', ...more], env);

test('a run asked for by A is never done by B on its own Redis, and is refused in one sentence', async () => {
  await settle(a.redis, 'c', 1_800);
  await settle(b.redis, 'c', 1_800);
  const [inA, inB] = [await keysIn(a.redis), await keysIn(b.redis)];
  await startWorker(of(b, { STALESWEEP_STALE_AFTER: '1h' }));
  const { code, stderr } = await enqueue(of(a), '--force');
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^stalesweep: run 1 failed: job data: it is for another target "default" than .*\n$/),
  });
  expect((await runs.getJob('1'))?.attemptsMade).toBe(1);
  expect([await keysIn(a.redis), await keysIn(b.redis)]).toEqual([inA, inB]);
});

test('while both have workers, each does its own runs, and neither takes the other for one that it can join', async () => {
  await settle(a.redis, 'c', 1_800);
  const inB = await settle(b.redis, 'c', 1_800);
  const first = await startWorker(of(b, { STALESWEEP_STALE_AFTER: '1h' }));
  const second = await startWorker(of(a));
  expect(second.stderr()).toMatch(
    /works on this queue \(prefix \{stalesweep\}\) too, and means other targets by \\"default\\"/,
  );
  expect(first.stderr()).not.toContain('works on this queue');
  const [ran, other] = await Promise.all([
    enqueue(of(a), '--json'),
    enqueue(of(b, { STALESWEEP_STALE_AFTER: '1h' }), '--json'),
  ]);
  expect(JSON.parse(ran.stdout)).toMatchObject({ outcome: 'completed', coordinators: { swept: 1 } });
  expect(JSON.parse(other.stdout)).toMatchObject({ outcome: 'completed', coordinators: { active: 1, swept: 0 } });
  expect(await keysIn(a.redis)).toEqual([]);
  expect(await keysIn(b.redis)).toEqual(inB.sort());
});

test('a job that does not say which of two it means is refused; while there is but one, it runs', async () => {
  const add = async () => await runs.add('cleanup', { target: 'default', staleAfter: '10m' });
  await settle(a.redis, 'c', 1_800);
  const inB = await settle(b.redis, 'c', 1_800);
  const first = await startWorker(of(a));
  const done = await add();
  await expect
    .poll(async () => (await runs.getJob(String(done.id)))?.returnvalue, WITHIN)
    .toMatchObject({ outcome: 'completed' });
  await startWorker(of(b, { STALESWEEP_STALE_AFTER: '1h' }));
  for (const _ of [1, 2, 3, 4]) {
    const refused = await add();
    await expect
      .poll(async () => (await runs.getJob(String(refused.id)))?.failedReason, WITHIN)
      .toMatch(/^job data: "default" means different targets here and for .*"stalesweep enqueue"/);
  }
  // Even when those who mean the other one have gone meanwhile.
  await first.kill('SIGTERM');
  const refused = await add();
  await expect
    .poll(async () => (await runs.getJob(String(refused.id)))?.failedReason, WITHIN)
    .toContain('different targets');
  expect(await keysIn(b.redis)).toEqual(inB.sort());
});

test.each([
  ['other names', { first: 'a' }, { second: 'b' }],
  ['the same name', { one: 'a' }, { one: 'b' }],
  ['one of their targets in common', { shared: 'a', first: 'a' }, { shared: 'a', second: 'b' }],
  ['one more in a new configuration', { one: 'a', two: 'b' }, { one: 'a' }],
] as const)('nobody changes or removes what the other has scheduled: %s', async (_, ofA, ofB) => {
  const servers = { a, b };
  const env = async (targets: Readonly<Record<string, 'a' | 'b'>>) =>
    await configured(Object.fromEntries(Object.entries(targets).map(([name, server]) => [name, servers[server]])));
  const [envA, envB] = [await env(ofA), await env(ofB)];
  const first = await startWorker(envA);
  const declared = await schedules();
  expect(declared).toHaveLength(Object.keys(ofA).length);
  const second = await startWorker(envB);
  for (const known of [await schedules()]) expect(known).toEqual(expect.arrayContaining(declared));
  // Each command shows its own.
  const shown = JSON.parse((await cli(['schedule', '--json'], envB)).stdout) as {
    target: string;
    nextAt: string | null;
  }[];
  expect(shown.map(({ target }) => target)).toEqual(Object.keys(ofB));
  for (const { nextAt } of shown) expect(nextAt).not.toBeNull();
  await second.kill('SIGTERM');
  await startWorker(envA);
  expect(await schedules()).toEqual(expect.arrayContaining(declared));
  await first.kill('SIGTERM');
});

test('a run of a target that is new is left to the workers that know it, and burns no attempt meanwhile', async () => {
  await settle(b.redis, 'c', 1_800);
  const older = await startWorker(await configured({ one: a }));
  const env = await configured({ one: a, two: b });
  const asked = enqueue(env, '--target', 'two', '--json');
  await expect.poll(async () => (await runs.getJob('1'))?.attemptsStarted ?? 0, WITHIN).toBeGreaterThan(1);
  expect(await runs.getJob('1')).toMatchObject({ attemptsMade: 0 });
  await startWorker(env);
  const { code, stdout } = await asked;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    target: 'two',
    outcome: 'completed',
    attempts: 1,
    coordinators: { swept: 1 },
  });
  expect(older.stderr()).not.toContain('"level":50');
});

test('a run of a target that nobody knows is left for a minute, without haste, and then fails in one sentence', async () => {
  await startWorker(await configured({ one: a }));
  const job = await runs.add('cleanup', { target: 'two' }, { attempts: 3 });
  await expect
    .poll(async () => (await runs.getJob(String(job.id)))?.failedReason, { timeout: 90_000 })
    .toBe('job data: unknown target "two"; allowed: one');
  const after = await runs.getJob(String(job.id));
  expect(after?.attemptsMade).toBe(1);
  expect(Number(after?.finishedOn) - Number(after?.timestamp)).toBeGreaterThan(59_000);
  expect(after?.attemptsStarted).toBeLessThan(80);
}, 120_000);

test('with a prefix each, both work, and neither sees the other', async () => {
  await settle(a.redis, 'c', 1_800);
  await settle(b.redis, 'c', 1_800);
  const [envA, envB] = [of(a, { STALESWEEP_QUEUE_PREFIX: '{team-a}' }), of(b, { STALESWEEP_QUEUE_PREFIX: 'team-b' })];
  const workers = await Promise.all([startWorker(envA), startWorker(envB)]);
  for (const env of [envA, envB]) {
    expect(JSON.parse((await enqueue(env, '--json')).stdout)).toMatchObject({ coordinators: { swept: 1 } });
    expect(JSON.parse((await cli(['history', '--json'], env)).stdout)).toHaveLength(1);
  }
  expect([await keysIn(a.redis), await keysIn(b.redis)]).toEqual([[], []]);
  for (const worker of workers) expect(worker.stderr()).not.toContain('works on this queue');
  // The queues that this file opened itself.
  const ofTest = [runs, schedule].map(({ keys }) => keys.meta ?? '');
  const prefixes = new Set(
    (await keysIn(queue.redis)).filter((key) => !ofTest.includes(key)).map((key) => key.split(':')[0]),
  );
  expect(prefixes).toEqual(new Set(['{team-a}', 'team-b']));
});

test('the same Redis under two addresses is one target where it has an id', async () => {
  await settle(a.redis, 'c', 1_800);
  const withId = async (host: string) =>
    await configFile(
      `cron: "${NEVER}"\nqueue: { url: "${queue.url}" }\ntargets: { one: { url: "redis://${host}:${a.port}", id: main } }\n`,
    );
  await startWorker({ STALESWEEP_CONFIG: await withId('127.0.0.1') });
  const { stdout } = await enqueue({ STALESWEEP_CONFIG: await withId('localhost') }, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'completed', coordinators: { swept: 1 } });
});
