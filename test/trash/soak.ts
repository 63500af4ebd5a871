/** soak: 10,000 coordinators go into the trash and come back, without scripts too; and a subscriber hears of each of 10,000 exactly once,
 * however often the workers that sweep them are killed. */
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { restore } from '../../src/restore/restore.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { type Running, start, startWorker } from '../support/cli.ts';
import { configFile } from '../support/files.ts';
import { populate } from '../support/populate.ts';
import { useQueue } from '../support/queue.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { allKeys, differences } from './keys.ts';

const MANY = 10_000;
/** What goes without scripts, and may fill the trash and empty it. */
const MORE = ['+renamenx', '+pexpire', '+persist', '+set', '+pttl', '+publish', '+xadd', '&swept'];
const DEATHS = 3;

const queue = useQueue();
async function urlOf(rules: readonly string[] | null) {
  return await urlFor(queue.server, rules === null ? null : [...rules, ...MORE]);
}

test.each(STRATEGIES)(
  '10,000 come back from the trash by %s, byte for byte and to the second',
  async (strategy, rules) => {
    const { redis, url } = queue.server;
    await populate({ REDIS_URL: url }, MANY, MANY - 100);
    const startedAt = performance.now();
    const before = await allKeys(redis);
    const target = targetOf(await urlOf(rules), { trash: '1h' });
    const report = await clean(target.url, { settings: { trash: '1h' } });
    expect(report).toMatchObject({ strategy, coordinators: { swept: MANY - 100 } });
    expect(report.keys.trashed).toBeGreaterThan(6 * (MANY - 100));
    const back = await restore(target, { run: 'test-run' }, { heartbeats: true });
    expect(back).toEqual({ restored: report.keys.trashed, heartbeats: MANY - 100, existing: [], expired: 0 });
    expect(differences(before, await allKeys(redis), performance.now() - startedAt)).toEqual([]);
    console.log(`${strategy}: ${before.size} keys, ${report.keys.trashed} in the trash and back`);
  },
);

const MANY_THINGS = 12_000;

test.each(STRATEGIES)(
  'whoever gives back is killed or ended, again and again, and others do the same: all come back by %s, each thing once',
  async (_, rules) => {
    const { redis, url } = queue.server;
    await populate({ REDIS_URL: url }, MANY_THINGS, MANY_THINGS - 100);
    const startedAt = performance.now();
    const before = await allKeys(redis);
    await clean(url, { settings: { trash: '1h' } });
    const count = async () => (await redis.keys('stalesweep:trash:*')).length;
    const env = { REDIS_URL: await urlOf(rules), STALESWEEP_TRASH: '1h', STALESWEEP_NICE: '1' };
    const begin = () => start(['restore', '--run', 'test-run', '--heartbeats', '--json'], env);
    const saidBy = (stdout: string, stderr: string) => {
      const [, ended = '0'] = /(\d+) keys? came back; what is left/.exec(stderr) ?? [];
      return stdout === '' ? Number(ended) : (JSON.parse(stdout) as { restored: number }).restored;
    };
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
      const [was, two] = [await count(), [begin(), begin()]];
      await expect.poll(count, { interval: 200, timeout: 120_000 }).toBeLessThan(was - 5_000);
      const ends = await Promise.all(two.map((one) => one.kill(signal)));
      const said = ends.reduce((sum, { stdout, stderr }) => sum + saidBy(stdout, stderr), 0);
      const left = was - (await count());
      if (signal === 'SIGTERM') expect(said, ends.map(({ stderr }) => stderr).join()).toBe(left);
      console.log(`${signal}: ${left} came back`);
    }
    const was = await count();
    const ends = await Promise.all([begin().ended, begin().ended]);
    expect(ends.reduce((sum, { stdout, stderr }) => sum + saidBy(stdout, stderr), 0)).toBe(was);
    const wrong = differences(before, await allKeys(redis), performance.now() - startedAt);
    expect(wrong.filter((one) => !one.startsWith('{stalesweep}:'))).toEqual([]);
    expect(await count()).toBe(0);
    console.log(`${was} came back in the end`);
  },
);

test.each(STRATEGIES)(
  'each of 10,000 is announced once by %s, though workers are killed in mid-run',
  async (_, rules) => {
    const { redis, url } = queue.server;
    await populate({ REDIS_URL: url }, MANY, MANY);
    const told: string[] = [];
    const ear: Redis = redis.duplicate({ connectionName: 'fixture' });
    await ear.subscribe('swept');
    ear.on('message', (_channel, message: string) => {
      const { coordinators } = JSON.parse(message) as { coordinators: { id: string; swarm: string | null }[] };
      told.push(...coordinators.map(({ id, swarm }) => `${swarm}/${id}`));
    });
    const settings = { announce: { channel: 'swept' }, callBudget: '0.2ms', nice: 5, suddenSilence: false };
    const file = await configFile(JSON.stringify({ ...settings, queue: { url }, every: '5s' }));
    const env = { REDIS_URL: await urlOf(rules), STALESWEEP_CONFIG: file, LOG_LEVEL: 'info' };
    let worker: Running | undefined;
    for (let death = 1; death <= DEATHS; death++) {
      worker = await startWorker(env);
      const due = (death * MANY) / (DEATHS + 1);
      await expect.poll(() => told.length, { interval: 5, timeout: 300_000 }).toBeGreaterThan(due);
      await worker.kill('SIGKILL');
      console.log(`killed after ${told.length} were told of`);
    }
    expect(told.length).toBeLessThan(MANY);
    worker = await startWorker(env);
    await expect.poll(async () => await queue.keysLeft(), { timeout: 300_000 }).toEqual([]);
    await expect.poll(() => told.length).toBeGreaterThanOrEqual(MANY);
    expect((await worker.kill('SIGTERM')).code).toBe(0);
    ear.disconnect();
    expect(told).toHaveLength(MANY);
    expect(new Set(told).size).toBe(MANY);
  },
);
