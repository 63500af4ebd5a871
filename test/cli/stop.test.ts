import { expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { cli, type Running, start } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { populate } from '../support/populate.ts';
import { NEVER, useQueue } from '../support/queue.ts';
import { work } from '../support/worker.ts';

// The command `stop`, beside a worker and somebody who waits for the run, who is a process of its own.

const queue = useQueue();
const STALE = 2_000;
/** So slow that it is still at work when it is stopped. */
function env() {
  return queue.env({ ...NEVER, STALESWEEP_NICE: '20' });
}

/** Asks for a run and waits; resolves once it has removed something. */
async function startRun(): Promise<{ readonly run: string; readonly asked: Running }> {
  const sweeping = new Promise<string>((resolve) => {
    queue.events.on('progress', ({ jobId, data }) => (data as { swept?: number }).swept && resolve(jobId));
  });
  const asked = start(['enqueue', '--wait', '--json'], env());
  return { run: await sweeping, asked };
}

test.each([
  ['the run that it names', (run: string) => [run]],
  ['the run of the target that it names', () => ['--target', 'default']],
])(
  'ends %s after its chunk; whoever waits gets its report and exit code 1, and the next run does the rest',
  async (_, args) => {
    await populate(env(), STALE, STALE);
    const before = (await queue.keysLeft()).length;
    const worker = await work(env());
    const { run, asked } = await startRun();
    const stopped = await command(['stop', ...args(run), '--json'], env());
    expect({ ...stopped, stdout: JSON.parse(stopped.stdout) }).toEqual({ code: 0, stdout: { run }, stderr: '' });
    const { code, stdout } = await asked.ended;
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ run, outcome: 'stopped', attempts: 1 });
    expect(report.keys.deleted).toBe(before - (await queue.keysLeft()).length);
    expect(report.coordinators.swept).toBeLessThan(STALE);

    const again = await command(['stop', run], env());
    expect(again).toEqual({ code: 1, stdout: '', stderr: `stalesweep: there is no run "${run}" that has not ended\n` });
    await worker.close();
    await work(queue.env(NEVER));
    const rest = JSON.parse((await command(['enqueue', '--wait', '--json'], env())).stdout) as Report;
    expect(rest.coordinators.swept).toBe(STALE - report.coordinators.swept);
  },
);

test('says in one sentence that there is nothing to stop', async () => {
  expect(await cli(['stop'], env())).toEqual({
    code: 1,
    stdout: '',
    stderr: 'stalesweep: no run of target "default" is in progress\n',
  });
  expect(await command(['stop', '99'], env())).toMatchObject({
    code: 1,
    stderr: 'stalesweep: there is no run "99" that has not ended\n',
  });
  expect(await command(['stop', '--target', 'nope'], env())).toMatchObject({
    code: 2,
    stderr: 'stalesweep: unknown target "nope"; there are: default\n',
  });
});

test('a run that still waits ends as soon as it begins, and removes nothing', async () => {
  await populate(env(), 20, 10);
  const before = await queue.keysLeft();
  const { run } = JSON.parse((await command(['enqueue', '--json'], env())).stdout) as { run: string };
  expect((await command(['stop', run], env())).stdout).toBe(`run ${run} ends after its chunk\n`);
  await work(env());
  expect(await queue.finished(run)).toMatchObject({ outcome: 'stopped', keys: { deleted: 0 } });
  expect(await queue.keysLeft()).toEqual(before);
});
