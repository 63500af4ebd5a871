import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { sentenceOf } from '../../src/domain/failure.ts';
import { explain } from '../../src/redis/connection/explain.ts';
import { ConnectionLost } from '../../src/redis/call/lost.ts';
import { gone, lapse, runWithPast } from '../lapsed/scene.ts';
import { TELLING } from '../support/announced.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { start } from '../support/cli.ts';
import { useRedis } from '../support/leaks.ts';
import { populate } from '../support/populate.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, heartbeatOf, keysIn, nowOf, settle, STALE } from '../support/world.ts';

const server = useRedis();
const CHANNEL = { announce: { channel: 'swept' } };

interface Said {
  readonly run: string;
  readonly target: string;
  readonly at: string;
  readonly coordinators: readonly { readonly id: string; readonly swarm: string | null }[];
}

/** Everything that is said on the channel from now on. */
async function listen(): Promise<Said[]> {
  const said: Said[] = [];
  const ear: Redis = server.current.redis.duplicate({ connectionName: 'fixture' });
  onTestFinished(() => ear.disconnect());
  await ear.subscribe('swept');
  ear.on('message', (_, message) => said.push(JSON.parse(message) as Said));
  return said;
}

/** What was said before has been heard once this is. */
async function heard(said: Said[]): Promise<string[]> {
  await server.current.redis.publish('swept', JSON.stringify({ run: 'end', coordinators: [] }));
  await expect.poll(() => said.at(-1)?.run).toBe('end');
  return said.flatMap(({ coordinators }) => coordinators.map(({ id, swarm }) => `${swarm}/${id}`)).sort();
}

async function urlOf(rules: readonly string[] | null) {
  return await urlFor(server.current, rules === null ? null : [...rules, ...TELLING]);
}

test.each(STRATEGIES)('tells of everybody who is swept, once, by %s', async (_, rules) => {
  const { redis } = server.current;
  const ids = Array.from({ length: 60 }, (__, c) => `c${c}`);
  for (const id of ids) await settle(redis, id, STALE + 10);
  const said = await listen();
  let calls = 0;
  const report = await clean(await urlOf(rules), {
    settings: { ...CHANNEL, callBudget: '0.1ms' },
    before: async (name) => {
      // It beats again, once it was judged.
      if (name === 'evalsha' || name === 'watch') await redis.set(heartbeatOf('c7'), beat(await nowOf(redis)));
    },
    after: (name) => {
      if ((name === 'evalsha' || name === 'exec') && ++calls % 3 === 0) throw new ConnectionLost(null);
    },
  });
  expect(report.coordinators).toMatchObject({ swept: 59, revived: 1 });
  expect(await heard(said)).toEqual(
    ids
      .filter((id) => id !== 'c7')
      .map((id) => `s1/${id}`)
      .sort(),
  );
  const [first] = said;
  expect(first).toMatchObject({ run: 'test-run', target: 'default' });
  expect(Math.abs(Date.parse(first?.at ?? '') - (await nowOf(redis)))).toBeLessThan(60_000);
});

test.each(STRATEGIES)('tells of the lapsed once, whatever answers are lost, by %s', async (_, rules) => {
  const ids = Array.from({ length: 60 }, (__, c) => `c${c}`);
  await lapse(server.current.redis, 'flat', gone(...ids));
  const said = await listen();
  let calls = 0;
  const { report } = await runWithPast(
    { url: await urlOf(rules), redis: server.current.redis },
    {
      settings: { ...CHANNEL, trash: '1h', callBudget: '0.1ms' },
      after: (name) => {
        if ((name === 'evalsha' || name === 'exec') && ++calls % 2 === 0) throw new ConnectionLost(null);
      },
    },
  );
  expect(calls).toBeGreaterThan(2);
  expect(report.coordinators).toMatchObject({ swept: 60, lapsed: 60 });
  expect(await heard(said)).toEqual(ids.map((id) => `null/${id}`).sort());
});

test.each(['before', 'after'] as const)('each is told of once, though a run ends %s a removal', async (when) => {
  const { redis, url } = server.current;
  await populate({ REDIS_URL: url }, 1_000, 1_000);
  const said = await listen();
  const abort = new AbortController();
  let calls = 0;
  const ends = (name: string) => {
    if (name === 'evalsha' && ++calls === 3) {
      abort.abort();
      throw new Error('the worker is gone');
    }
  };
  await expect(clean(url, { settings: CHANNEL, signal: abort.signal, [when]: ends })).rejects.toThrow();
  await clean(url, { settings: CHANNEL });
  const all = await heard(said);
  expect(all).toHaveLength(1_000);
  expect(new Set(all).size).toBe(1_000);
  expect((await keysIn(redis)).filter((key) => !key.startsWith('stalesweep:announced:of:'))).toEqual([]);
});

test('10,000 are told of once each, though the process that sweeps them is killed', async () => {
  const { redis, url } = server.current;
  await populate({ REDIS_URL: url }, 10_000, 10_000);
  const said = await listen();
  const folder = mkdtempSync(join(tmpdir(), 'stalesweep-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'stalesweep.yaml');
  writeFileSync(config, JSON.stringify({ ...CHANNEL, callBudget: '0.2ms', nice: 2, trash: '1h' }));
  const first = start(['run', '--config', config, '--no-record'], { REDIS_URL: url });
  await expect.poll(() => said.length, { interval: 5, timeout: 100_000 }).toBeGreaterThan(0);
  await first.kill('SIGKILL');
  const report = await clean(url, { settings: CHANNEL });
  expect(report.coordinators.swept, 'it was killed in the midst of it').toBeGreaterThan(0);
  const all = await heard(said);
  expect(all).toHaveLength(10_000);
  expect(new Set(all).size).toBe(10_000);
  await redis.flushall();
}, 300_000);

test.each(STRATEGIES)('a stream keeps the last of what was said, by %s', async (_, rules) => {
  const { redis } = server.current;
  for (let c = 0; c < 5; c++) await settle(redis, `c${c}`, STALE + 10);
  await clean(await urlOf(rules), { settings: { announce: { stream: 'swept', maxLength: 100 } } });
  const entries = await redis.xrange('swept', '-', '+');
  const ids = entries.flatMap(([, fields]) => (JSON.parse(fields[1] ?? '') as Said).coordinators.map(({ id }) => id));
  expect(ids.sort()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
});

test('a run that may not say so removes nothing', async () => {
  const { redis } = server.current;
  const keys = await settle(redis, 'c1', STALE + 10);
  const url = await urlFor(server.current, ['~*', '+@all', 'resetchannels']);
  const failure = await clean(url, { settings: CHANNEL }).catch((error: unknown) => error);
  expect(sentenceOf(explain(failure, targetOf(url, CHANNEL)))).toMatch(/may not run .*PUBLISH,.*; grant it .* &swept$/);
  expect(await redis.exists(...keys)).toBe(keys.length);
});
