/** What was swept comes back by what lists show of it. */
import { expect, test } from 'vitest';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { sweepRecorded } from '../support/recordedRun.ts';
import { settle, STALE } from '../support/world.ts';

const server = useRedis();

test('a run comes back by its id as history shows it, and where two are shown so, both are named', async () => {
  const { redis, url } = server.current;
  const tail = '7600eceb';
  const runs = ['01a21d15-3a29-7988-9bd0-679d', '01a21d16-3a29-7988-9bd0-679d'].map((head) => head + tail);
  const restored = async (...args: string[]) => await command(['restore', '--run', ...args], { REDIS_URL: url });
  const sweep = async (run: string, id: string) => {
    await settle(redis, id, STALE + 60);
    await sweepRecorded(redis, url, { run, settings: { trash: '1h' } });
  };
  await sweep(runs[0] ?? '', 'c1');
  const shown = (await command(['history'], { REDIS_URL: url })).stdout.split('\n')[1]?.split(' ')[0] ?? '';
  expect(shown).toBe(tail);
  const would = await restored(shown, '--dry-run');
  expect(would.stdout).toMatch(/^[1-9]\d* keys would come back/);
  expect((await restored(shown)).stdout).toMatch(/^[1-9]\d* keys restored/);
  await sweep(runs[1] ?? '', 'c2');
  const both = await restored(shown);
  expect([both.code, both.stdout]).toEqual([2, '']);
  for (const run of runs) expect(both.stderr.replace(/\s+/g, ' ')).toContain(run);
  expect((await restored(runs[1] ?? '')).stdout).toMatch(/^[1-9]\d* keys restored/);
});
