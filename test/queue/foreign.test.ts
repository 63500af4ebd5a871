import { Worker } from 'bullmq';
import { expect, test } from 'vitest';
import { type Running, startWorker } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { populate } from '../support/populate.ts';
import { MOST_WAIT_MS, NEVER, optionsFor, useQueue } from '../support/queue.ts';
import { work } from '../support/worker.ts';

// Jobs that other programs add, straight to the queue, while one worker takes them all.

const queue = useQueue();
const { keysLeft } = queue;
function env() {
  return queue.env(NEVER);
}

const NOTHING_CARRIED = {
  swept: 0,
  deletedByFamily: [],
  chunks: 0,
  calls: 0,
  slowestCallMs: 0,
  memoryFreedBytes: 0,
};
const HUGE = 'x'.repeat(5_000_000);
const WRONG: readonly unknown[] = [
  undefined,
  null,
  0,
  'default',
  [],
  [{ target: 'default' }],
  {},
  { target: null },
  { target: { toString: 1 } },
  { target: ['default'] },
  { target: 'default', dryRun: 1 },
  { target: 'default', staleAfter: {} },
  { target: 'default', staleAfter: '1s' },
  { target: 'default', staleAfter: '999999d' },
  { target: 'default', force: 'true' },
  { target: 'default', cursor: 7, version: 2 },
  JSON.parse('{"target":"default","__proto__":{"dryRun":true}}'),
  { target: HUGE },
  { target: 'default', note: HUGE },
  { target: 'default', [HUGE]: 1 },
];

test('each wrong job fails at once with a sentence, the keys stay, and the worker goes on with the next good one', async () => {
  await populate(env(), 20, 10);
  const keys = await keysLeft();
  const worker: Running = await startWorker(env());
  for (const [i, data] of WRONG.entries()) {
    const job = await queue.runs.add(i % 2 === 0 ? '__proto__' : 'cleanup', data, {
      attempts: 5,
      priority: i + 1,
      jobId: `x-${i}`,
    });
    await expect(job.waitUntilFinished(queue.events, MOST_WAIT_MS), `job ${i}`).rejects.toThrow(
      /^job data: .{10,400}$/,
    );
    const after = await queue.runs.getJob(`x-${i}`);
    expect(after?.attemptsMade).toBe(1);
    expect(after?.stacktrace?.join('\n')).not.toContain('    at ');
  }
  for (const data of [undefined, null, {}, { target: { toString: 1 } }, { target: 'nope' }, { target: HUGE }]) {
    const tick = await queue.schedule.add('tick', data);
    await expect(tick.waitUntilFinished(queue.ticks, MOST_WAIT_MS)).rejects.toThrow(
      'this tick names no target that is configured',
    );
  }
  expect(await keysLeft()).toEqual(keys);

  const good = await command(['enqueue', '--wait', '--json'], env());
  expect(JSON.parse(good.stdout)).toMatchObject({ outcome: 'completed', coordinators: { swept: 10 } });
  const history = await command(['history'], env());
  expect(history.code).toBe(0);
  const { code, stderr } = await worker.kill('SIGTERM');
  expect(code).toBe(0);
  expect(stderr.length).toBeLessThan(50_000);
  expect(stderr).not.toContain('    at ');
});

test('options that other programs give a job change when it runs, not what it does', async () => {
  await populate(env(), 20, 10);
  await work(env());
  const odd = { delay: 50, lifo: true, removeOnComplete: false, sizeLimit: 1e9, stackTraceLimit: 99, keepLogs: 1 };
  const job = await queue.runs.add('', { target: 'default', dryRun: true }, { ...odd, jobId: '__proto__' });
  expect(await job.waitUntilFinished(queue.events, MOST_WAIT_MS)).toMatchObject({ outcome: 'completed', dryRun: true });
});

test('however many attempts a job is given, a target that is down gets ten', async () => {
  const own = { REDIS_URL: 'redis://127.0.0.1:1', QUEUE_REDIS_URL: queue.server.url, ...NEVER };
  await work(own);
  const job = await queue.runs.add('cleanup', { target: 'default' }, { attempts: 1e9 });
  await expect(job.waitUntilFinished(queue.events, MOST_WAIT_MS)).rejects.toThrow('connection refused');
  expect((await queue.runs.getJob(String(job.id)))?.attemptsMade).toBe(10);
});

test('a run that another version completed with something else is listed without a report', async () => {
  const client = queue.server.redis;
  for (const [id, value] of [
    ['y-1', '5'],
    ['y-2', '{"outcome":"completed","coordinators":null}'],
    ['y-3', '"text"'],
  ]) {
    await queue.runs.add('cleanup', { target: 'default' }, { jobId: id as string });
    await client.hset(`{stalesweep}:cleanup:${id}`, 'returnvalue', value as string, 'finishedOn', Date.now());
    await client.lrem('{stalesweep}:cleanup:wait', 0, id as string);
    await client.zadd('{stalesweep}:cleanup:completed', Date.now(), id as string);
  }
  const plain = await command(['history'], env());
  expect({ code: plain.code, stderr: plain.stderr }).toEqual({ code: 0, stderr: '' });
  const rows = JSON.parse((await command(['history', '--json'], env())).stdout) as { run: string; report: unknown }[];
  expect(rows.filter(({ run }) => run.startsWith('y-')).map(({ report }) => report)).toEqual([null, null, null]);
});

test('a job with an impossible time, or words that a terminal would obey, does not keep the others from being listed', async () => {
  const rowsOf = async () =>
    JSON.parse((await command(['history', '--limit', '200', '--json'], env())).stdout) as { addedAt: unknown }[];
  const before = await rowsOf();
  await queue.runs.add('cleanup', { target: 'default' }, { jobId: 'z-1', timestamp: 1e300 });
  await queue.server.redis.hset('{stalesweep}:cleanup:z-1', 'failedReason', 'red \u001b[31m\u0007\nforged line');
  await queue.server.redis.hset('{stalesweep}:cleanup:z-1', 'timestamp', 'soon');
  const after = await rowsOf();
  expect(after).toHaveLength(before.length + 1);
  expect(after.filter(({ addedAt }) => addedAt === null)).toHaveLength(1);
  const { code, stdout, stderr } = await command(['history', '--limit', '200'], env());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('run z-1: red  [31m forged line\n');
  expect((await command(['schedule'], env())).code).toBe(0);
  await (await queue.runs.getJob('z-1'))?.remove();
});

test.each([[5], [null], [{ outcome: 'completed', coordinators: {}, keys: {} }]])(
  'who waits for a run that another version ends with %j is told so in a sentence',
  async (returned) => {
    const worker = new Worker('cleanup', async () => returned, optionsFor(queue.server));
    const { code, stdout, stderr } = await command(['enqueue', '--wait'], env());
    await worker.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^stalesweep: run \d+ ended with a report that can't be read; another version may have done it\n$/,
    );
  },
);

test.each([
  [{ startedAt: 1e300, carried: { ...NOTHING_CARRIED } }],
  [{ startedAt: 0, carried: { ...NOTHING_CARRIED, swept: -5 } }],
  [{ phase: 'mark', percent: 'all', carried: 7 }],
  [99],
])('a run whose progress another version left as %j begins anew', async (progress) => {
  await populate(env(), 20, 10);
  const job = await queue.runs.add('cleanup', { target: 'default' }, { delay: 600_000 });
  await job.updateProgress(progress);
  await job.promote();
  await work(env());
  const report = await job.waitUntilFinished(queue.events, MOST_WAIT_MS);
  // All but what the last stale one sent to its neighbour, who is active.
  expect(report).toMatchObject({ outcome: 'completed', coordinators: { stale: 10, swept: 10 }, keys: { deleted: 59 } });
  expect(Date.now() - Date.parse(report.startedAt)).toBeLessThan(60_000);
});
