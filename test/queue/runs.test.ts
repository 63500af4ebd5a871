import { Queue, QueueEvents } from 'bullmq';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { cli, populate, startWorker } from '../support/cli.ts';
import { configFile } from '../support/files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { addUser } from '../support/users.ts';

// No scheduled run comes between: an interval's first run starts at once.
const NEW_YEAR = '0 0 1 1 *';

let server: TestRedis;
let queue: Queue;
let events: QueueEvents;
const env = (): Record<string, string> => ({ REDIS_URL: server.url, STALESWEEP_CRON: NEW_YEAR });
const options = () => ({ connection: { host: '127.0.0.1', port: server.port }, prefix: '{stalesweep}' });

beforeAll(async () => {
  server = await startRedis();
  queue = new Queue('cleanup', options());
  events = new QueueEvents('cleanup', options());
  await events.waitUntilReady();
});
afterAll(async () => {
  await events.close();
  await queue.close();
  await server.stop();
});
beforeEach(async () => {
  await server.redis.flushall();
});

const finished = async (id: string): Promise<Report> => {
  const job = await queue.getJob(id);
  if (!job) throw new Error(`no job ${id}`);
  return (await job.waitUntilFinished(events, 30_000)) as Report;
};

describe('a run through the queue', () => {
  test('removes every key of 9,900 stale coordinators and none of 100 active ones, and reports exactly that', async () => {
    await populate(env(), 10_000, 9_900);
    await startWorker(env());
    const { code, stdout, stderr } = await cli(['enqueue', '--wait', '--json'], env());
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report.coordinators).toEqual({
      checked: 10_000,
      active: 100,
      stale: 9_900,
      unreadable: 0,
      lapsed: 0,
      swept: 9_900,
      revived: 0,
    });
    expect(report.keys).toEqual({
      found: 59_400,
      deleted: 59_400,
      orphans: 0,
      byFamily: { heartbeat: 9_900, signal: 9_900, ack: 19_800, idempotency: 9_900, activity: 9_900, state: 0 },
    });
    const left = (await server.redis.keys('*')).filter((key) => !key.startsWith('{stalesweep}'));
    expect(left).toHaveLength(600);
    expect(left.filter((key) => !/coordinator-99\d\d\b/.test(key))).toEqual([]);
  });

  test('fails at once, and is not tried again, when its user may not remove anything', async () => {
    const reader = await addUser(server, ['~*', '+@read', '+info', '+time']);
    await startWorker({ ...env(), REDIS_URL: reader, QUEUE_REDIS_URL: server.url });
    const job = await queue.add('cleanup', { target: 'default' }, { attempts: 3 });
    await expect(job.waitUntilFinished(events, 30_000)).rejects.toThrow('may not run UNLINK, EVALSHA, WATCH');
    expect(await queue.getJob(String(job.id))).toMatchObject({ attemptsMade: 1, finishedOn: expect.any(Number) });
  });

  test('is joined by whoever asks while it waits, and is told so', async () => {
    const first = await cli(['enqueue', '--json'], env());
    const second = await cli(['enqueue', '--json'], env());
    expect(JSON.parse(second.stdout)).toEqual(JSON.parse(first.stdout));
    expect(first.stderr).toBe('');
    expect(second.stderr).toBe('stalesweep: joined run 1 of target "default", which waits or runs already\n');
    const third = await cli(['enqueue', '--dry-run', '--stale-after', '20m', '--json'], env());
    expect(third.stdout).toBe(first.stdout);
    expect(third.stderr).toContain('already, but not as asked for: it is a real run, its staleAfter is 10m\n');
  });

  test('ends as skipped, naming the run in progress, when it slips through deduplication', async () => {
    await populate(env(), 20_000, 20_000);
    for (let i = 0; i < 2; i++) await queue.add('cleanup', { target: 'default' });
    await startWorker({ ...env(), STALESWEEP_NICE: '1' });
    const reports = [await finished('1'), await finished('2')];
    expect(reports.map(({ outcome }) => outcome).sort()).toEqual(['completed', 'skipped']);
    const [skipped, completed] = reports[0]?.outcome === 'skipped' ? reports : reports.toReversed();
    expect(skipped?.reason).toBe(`run ${completed?.run} of target "default" is in progress`);
    expect(completed?.coordinators.swept).toBe(20_000);
  });

  test.each([
    [{}, '"target" must be the name of a target'],
    [{ target: 'nope' }, 'unknown target "nope"; allowed: default'],
    [{ target: '__proto__' }, 'unknown target "__proto__"; allowed: default'],
    [{ target: 'default', dryRun: 'yes' }, '"dryRun" must be true or false'],
    [{ target: 'default', staleAfter: 600 }, '600 has no unit'],
    [{ target: 'default', staleAfter: '10s' }, 'below the minStaleAfter'],
    [{ target: 'default', trigger: 'me' }, '"trigger" must be "schedule", "manual" or "cli"'],
    [{ target: 'default', stale: true }, 'unknown field "stale"; allowed: target, dryRun'],
    [[1], 'must be an object'],
  ])('fails at once, without retries, with a sentence, when its data is %j', async (data, sentence) => {
    await startWorker(env());
    const { id } = await queue.add('anything', data, { attempts: 5 });
    await expect(finished(String(id))).rejects.toThrow(sentence);
    const job = await queue.getJob(String(id));
    expect(job?.attemptsMade).toBe(1);
    expect(job?.stacktrace?.join('\n')).not.toContain('    at ');
  });

  test('is tried three times when its target can not be reached, and says why in one sentence', async () => {
    const config = await configFile(
      `targets:\n  default: { url: "redis://u:hush@127.0.0.1:1" }\nqueue: { url: "${server.url}" }\n`,
    );
    const own = { STALESWEEP_CONFIG: config, STALESWEEP_CRON: NEW_YEAR };
    const worker = await startWorker(own);
    const { code, stderr, stdout } = await cli(['enqueue', '--wait', '--json'], own);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /run 1 failed: Redis at redis:\/\/u:\*\*\*@127\.0\.0\.1:1 could not be reached: connection refused/,
    );
    expect(stderr + worker.stderr()).not.toContain('hush');
    expect((await queue.getJob('1'))?.attemptsMade).toBe(3);
  }, 30_000);

  test('leaves a log of its phases, its progress and its report in the history', async () => {
    await populate(env(), 10_000, 9_900);
    // Calls this short take some dozen keys each: several hundred chunks.
    await startWorker({ ...env(), STALESWEEP_CALL_BUDGET: '0.1ms' });
    const { chunks } = JSON.parse((await cli(['enqueue', '--wait', '--json'], env())).stdout) as Report;
    expect(chunks).toBeGreaterThan(100);
    const { logs } = await queue.getJobLogs('1');
    const perHundred = Array<string>(Math.floor(chunks / 100)).fill('sweep');
    expect(logs.map((line) => line.split(':')[0])).toEqual(['mark', 'gather', 'sweep', ...perHundred, 'report']);
    expect((await queue.getJob('1'))?.progress).toMatchObject({
      phase: 'report',
      percent: 100,
      stale: 9_900,
      swept: 9_900,
    });
    const history = await cli(['history', '--json'], env());
    const [row] = JSON.parse(history.stdout);
    expect(row).toMatchObject({ run: '1', state: 'completed', attempts: 1, failedReason: null, report: { run: '1' } });
    expect(Object.keys(row)).toEqual(['run', 'state', 'addedAt', 'attempts', 'failedReason', 'report']);
  });
});
