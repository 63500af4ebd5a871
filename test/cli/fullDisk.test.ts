/** Processes whose words go to a disk that is full. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { environment } from '../support/cli.ts';
import { NEVER, useQueue } from '../support/queue.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const queue = useQueue();

test('what stays works on and ends in order where none of its words can be written; a report that can not be is a failure', async () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  const startFull = (words: readonly string[]) => {
    const env = environment(queue.env({ ...NEVER, STALESWEEP_PORT: '0' }));
    const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', full, full] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return { child, ended: once(child, 'exit') };
  };
  const { child, ended } = startFull(['start']);
  const run = await queue.runs.add('cleanup', { target: 'default' });
  expect((await queue.finished(String(run.id))).outcome).toBe('completed');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(await startFull(['run', '--json']).ended).toEqual([1, null]);
});
