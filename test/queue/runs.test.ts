import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { cli, startWorker } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { configFile } from '../support/files.ts';
import { populate } from '../support/populate.ts';
import { MOST_WAIT_MS, NEVER, useQueue } from '../support/queue.ts';
import { addUser } from '../support/users.ts';
import { work } from '../support/worker.ts';

const queue = useQueue();
const { finished } = queue;
function env() {
  return queue.env(NEVER);
}

describe('a run through the queue', () => {
  test('removes every key of 900 stale coordinators and none of 100 active ones, and reports exactly that', async () => {
    await populate(env(), 1_000, 900);
    await startWorker(env());
    const { code, stdout, stderr } = await cli(['enqueue', '--wait', '--json'], env());
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report.coordinators).toMatchObject({ checked: 1_000, active: 100, stale: 900, swept: 900 });
    expect(report.keys).toEqual({
      found: 5_400,
      deleted: 5_400,
      orphans: 0,
      kept: 0,
      byFamily: { heartbeat: 900, signal: 900, ack: 1_800, idempotency: 900, activity: 900, state: 0 },
    });
    const left = await queue.keysLeft();
    expect(left).toHaveLength(600);
    expect(left.filter((key) => !/coordinator-9\d\d\b/.test(key))).toEqual([]);
  });

  test('removes nothing where whoever asks for it only observes, by whatever settings it is done', async () => {
    await populate(env(), 20, 20);
    const before = await queue.keysLeft();
    const asked = await command(['enqueue', '--json'], { ...env(), STALESWEEP_MODE: 'observe' });
    const { run } = JSON.parse(asked.stdout) as { run: string };
    await work(env());
    expect(await finished(run)).toMatchObject({ dryRun: true, coordinators: { stale: 20, swept: 0 } });
    expect(await queue.keysLeft()).toEqual(before);
  });

  test('fails at once, and is not tried again, when its user may not remove anything', async () => {
    const reader = await addUser(queue.server, ['~*', '+@read', '+info', '+time']);
    await work({ ...env(), REDIS_URL: reader, QUEUE_REDIS_URL: queue.server.url });
    const job = await queue.runs.add('cleanup', { target: 'default' }, { attempts: 3 });
    await expect(job.waitUntilFinished(queue.events, MOST_WAIT_MS)).rejects.toThrow(
      'may not run UNLINK, EVALSHA, WATCH',
    );
    expect(await queue.runs.getJob(String(job.id))).toMatchObject({ attemptsMade: 1, finishedOn: expect.any(Number) });
  });

  test('is joined by whoever asks while it waits, and is told so', async () => {
    const first = await command(['enqueue', '--json'], env());
    const second = await command(['enqueue', '--json'], env());
    expect(JSON.parse(first.stdout)).toEqual({ run: '1', joined: false });
    expect(JSON.parse(second.stdout)).toEqual({ run: '1', joined: true });
    const alone = 'stalesweep: no worker is connected; the run waits until one starts (stalesweep worker)\n';
    expect(first.stderr).toBe(alone);
    const joined = 'stalesweep: joined run 1 of target "default", which waits or runs already\n';
    expect(second.stderr.replace(alone, '')).toBe(joined);
    const third = await command(['enqueue', '--dry-run', '--stale-after', '20m', '--json'], env());
    const difference = 'it is a real run, its staleAfter is 10m';
    expect([third.code, JSON.parse(third.stdout)]).toEqual([0, { run: '1', joined: true, difference }]);
    expect(third.stderr).toContain('already, but not as asked for: it is a real run, its staleAfter is 10m\n');
  });

  test('stands in the history with whoever asked for it, from when it waits on; what asked, where its job names nobody', async () => {
    await command(['enqueue'], env());
    const history = async () => JSON.parse((await command(['history', '--json'], env())).stdout) as { by: string }[];
    const somebody = { run: '1', by: expect.stringMatching(/^.+@.+$/) };
    expect(await history()).toEqual([expect.objectContaining({ ...somebody, state: 'waiting' })]);
    // A worker of any version takes its data.
    expect((await queue.runs.getJob('1'))?.data).toEqual({
      ...{ target: 'default', trigger: 'manual', fingerprint: expect.any(String) },
    });
    await work(env());
    await finished('1');
    const odd = [{ by: 7 }, { by: '' }, { by: `${'x'.repeat(200)}` }] as object[];
    for (const options of odd) {
      await finished((await queue.runs.add('cleanup', { target: 'default', trigger: 'cli' }, options)).id as string);
    }
    expect(await history()).toEqual([
      expect.objectContaining({ run: '4', by: 'x'.repeat(128) }),
      expect.objectContaining({ run: '3', by: 'cli' }),
      expect.objectContaining({ run: '2', by: 'cli' }),
      expect.objectContaining({ ...somebody, state: 'completed' }),
    ]);
  });

  test('that is real, and joins a dry one, ends with exit code 1', async () => {
    await command(['enqueue', '--dry-run'], env());
    const { code, stdout } = await command(['enqueue', '--json'], env());
    expect([code, JSON.parse(stdout)]).toEqual([1, { run: '1', joined: true, difference: 'it is a dry run' }]);
  });

  test('ends as skipped, naming the run in progress, when it slips through deduplication', async () => {
    await populate(env(), 2_000, 2_000);
    for (let i = 0; i < 2; i++) await queue.runs.add('cleanup', { target: 'default' });
    await work({ ...env(), STALESWEEP_NICE: '5' });
    const reports = [await finished('1'), await finished('2')];
    expect(reports.map(({ outcome }) => outcome).sort()).toEqual(['completed', 'skipped']);
    const [skipped, completed] = reports[0]?.outcome === 'skipped' ? reports : reports.toReversed();
    expect(skipped?.reason).toBe(`run ${completed?.run} of target "default" is in progress`);
    expect(completed?.coordinators.swept).toBe(2_000);
  });

  test('fails at once, without retries, with a sentence, when its data is wrong', async () => {
    await work(env());
    for (const [data, sentence] of [
      [{}, '"target" must be the name of a target'],
      [{ target: '__proto__' }, 'unknown target "__proto__"'],
      [{ target: 'default', dryRun: 'yes' }, '"dryRun" must be true or false'],
      [{ target: 'default', staleAfter: 600 }, '600 has no unit'],
      [{ target: 'default', staleAfter: '10s' }, 'below the minStaleAfter'],
      [{ target: 'default', trigger: 'me' }, '"trigger" must be "schedule", "manual" or "cli"'],
      [{ target: 'default', stale: true }, 'unknown field "stale"; allowed: target, dryRun'],
      [[1], 'must be an object'],
    ] as const) {
      const { id } = await queue.runs.add('anything', data, { attempts: 5 });
      await expect(finished(String(id)), JSON.stringify(data)).rejects.toThrow(sentence);
      const job = await queue.runs.getJob(String(id));
      expect(job?.attemptsMade).toBe(1);
      expect(job?.stacktrace?.join('\n')).not.toContain('    at ');
    }
  });

  test('is tried three times when its target can not be reached, and says why in one sentence', async () => {
    const config = await configFile(
      `targets:\n  default: { url: "redis://u:hush@127.0.0.1:1" }\nqueue: { url: "${queue.server.url}" }\n`,
    );
    const own = { STALESWEEP_CONFIG: config, ...NEVER };
    const worker = await work(own);
    const { code, stderr, stdout } = await command(['enqueue', '--wait', '--json'], own);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /run 1 failed: Redis at redis:\/\/u:\*\*\*@127\.0\.0\.1:1 could not be reached: connection refused/,
    );
    expect(stderr + worker.log()).not.toContain('hush');
    expect((await queue.runs.getJob('1'))?.attemptsMade).toBe(3);
  });

  test('leaves a log of its phases, its progress and its report in the history', async () => {
    await populate(env(), 2_500, 2_400);
    // Calls this short take about a hundred keys each: more than a hundred chunks.
    await work({ ...env(), STALESWEEP_CALL_BUDGET: '0.1ms' });
    const { chunks } = JSON.parse((await command(['enqueue', '--wait', '--json'], env())).stdout) as Report;
    expect(chunks).toBeGreaterThan(100);
    const { logs } = await queue.runs.getJobLogs('1');
    const perHundred = Array<string>(Math.floor(chunks / 100)).fill('sweep');
    expect(logs.map((line) => line.split(':')[0])).toEqual(['mark', 'gather', 'sweep', ...perHundred, 'report']);
    const job = await queue.runs.getJob('1');
    expect(job?.progress).toMatchObject({
      phase: 'report',
      percent: 100,
      stale: 2_400,
      swept: 2_400,
    });
    const history = await command(['history', '--json'], env());
    const [row] = JSON.parse(history.stdout);
    expect(row).toMatchObject({ run: '1', state: 'completed', attempts: 1, failedReason: null, report: { run: '1' } });
    expect(row.addedAt).toBe(new Date(job?.timestamp ?? 0).toISOString());
    expect(Object.keys(row)).toEqual('run target state addedAt by attempts failedReason report'.split(' '));
  });
});
