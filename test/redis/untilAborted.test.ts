import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { untilAborted } from '../../src/redis/connection/untilAborted.ts';

test('hundreds may wait for one signal, without a warning on the terminal', async () => {
  const warnings: Error[] = [];
  const heed = (warning: Error) => void warnings.push(warning);
  process.on('warning', heed);
  onTestFinished(() => void process.off('warning', heed));
  const leaving = new AbortController();
  const waiting = Array.from(
    { length: 300 },
    async () => await untilAborted(leaving.signal, new AbortController().signal),
  );
  await turn();
  leaving.abort(new Error('it ends'));
  for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe('rejected');
  expect(warnings).toEqual([]);
});
