import { expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { cli } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';
import { NEVER, useQueue } from '../support/queue.ts';
import { work } from '../support/worker.ts';
import { type Amounts, type DataSetName, FEWER, MANY, writeDataSet } from './system.ts';
import { foreignIn } from '../support/world.ts';

const queue = useQueue();

type Env = Record<string, string>;

/** Each way to clean; what the run reported, and who is said to have asked. */
const WAYS = {
  'the command run': {
    trigger: 'cli',
    clean: async (env: Env) => {
      const { code, stdout, stderr } = await cli(['run', '--json'], env);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout) as Report;
    },
  },
  'a schedule': {
    trigger: 'schedule',
    clean: async (env: Env) => {
      const first = new Promise<string>((resolve) => queue.events.once('completed', ({ jobId }) => resolve(jobId)));
      await work({ ...env, STALESWEEP_EVERY: '1h' });
      return await queue.finished(await first);
    },
  },
  enqueue: {
    trigger: 'manual',
    clean: async (env: Env) => {
      await work({ ...env, ...NEVER });
      const { code, stdout, stderr } = await command(['enqueue', '--wait', '--json'], env);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout) as Report;
    },
  },
  'the board': {
    trigger: 'manual',
    clean: async (env: Env) => {
      const dashboard = await startDashboard(env);
      try {
        await work({ ...env, ...NEVER });
        const run = { name: 'cleanup', data: { target: 'default' }, options: {} };
        const added = await dashboard.send('POST', '/queues/api/queues/cleanup/add', run);
        const { job } = (await added.json()) as { job: { id: string } };
        return await queue.finished(job.id);
      } finally {
        await dashboard.close();
      }
    },
  },
} as const;

/** Each way, and each data set by each schema, once; each data set once with all that it holds. */
const CASES: readonly (readonly [keyof typeof WAYS, DataSetName, string, Amounts])[] = [
  ['the command run', 'perf', 'flat', MANY],
  ['a schedule', 'init', 'flat', FEWER],
  ['enqueue', 'init', 'claude-flow-novice', MANY],
  ['the board', 'perf', 'claude-flow-novice', FEWER],
];

test.each(CASES)(
  '%s sweeps exactly the stale ones of the data set %s, by schema %s: %j (P1, P2)',
  async (way, data, schema, amounts) => {
    const { left, gone } = await writeDataSet(queue.server.redis, data, amounts);
    const report = await WAYS[way].clean(queue.env({ STALESWEEP_SCHEMA: schema }));
    expect(report).toMatchObject({ outcome: 'completed', trigger: WAYS[way].trigger, unreadable: [] });
    expect(report.reason).toBeUndefined();
    expect(report.coordinators).toEqual({
      checked: amounts.all,
      active: amounts.all - amounts.stale,
      stale: amounts.stale,
      unreadable: 0,
      held: 0,
      protected: 0,
      lapsed: 0,
      swept: amounts.stale,
      revived: 0,
    });
    const sum = Object.values(gone).reduce((all, count) => all + count, 0);
    expect(report.keys).toEqual({ found: sum, deleted: sum, orphans: 0, kept: 0, byFamily: gone });
    expect(await queue.keysLeft()).toEqual(left);
  },
);

test('by the default schema its data are left alone, and the run names the schema that fits', async () => {
  await writeDataSet(queue.server.redis, 'perf', FEWER);
  const before = await foreignIn(queue.server.redis);
  const { code, stdout, stderr } = await command(['run', '--json'], queue.env());
  const report = JSON.parse(stdout) as Report;
  expect(code).toBe(0);
  expect(report).toMatchObject({ outcome: 'completed', coordinators: { checked: 0, swept: 0 } });
  expect(report.reason).toMatch(/hold no heartbeat of schema "swarm".*set STALESWEEP_SCHEMA=flat/);
  expect(stderr).toContain(String(report.reason));
  expect(await foreignIn(queue.server.redis)).toBe(before);
});
