import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { beat, defineSchema, plan } from '../../src/library/index.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import { useRedis } from '../support/leaks.ts';
import { keysIn } from '../support/world.ts';

const server = useRedis();
const LIBRARY = new URL('../../dist/src/library/index.js', import.meta.url).href;

const segment = fc.string({
  unit: fc.constantFrom('a', 'é', '*', '?', '[', '\\', '{', ' ', '-', '7'),
  minLength: 1,
  maxLength: 6,
});

test('whoever beats is found alive, by the id it gave, with every schema that ships and whatever its id holds', async () => {
  const { redis } = server.current;
  const ids = fc.array(segment, { minLength: 1, maxLength: 3 });
  for (const [schema, { families }] of Object.entries(SHIPPED_SCHEMAS)) {
    const swarms = String(families.heartbeat).includes('{swarm}');
    await fc.assert(
      fc.asyncProperty(ids, segment, async (parts, swarm) => {
        await redis.flushall();
        const coordinator = parts.join(':');
        const heart = await beat({ redis, schema, coordinator, ...(swarms ? { swarm } : {}) });
        const { coordinators } = await plan({ redis, schema, ledger: false });
        expect(coordinators).toMatchObject({ checked: 1, active: 1 });
        expect(await keysIn(redis)).toEqual([heart.key]);
        await heart.stop();
        expect(await keysIn(redis)).toEqual([]);
      }),
      { numRuns: 5, examples: [[[' '], ' ']] },
    );
  }
});

test('an id that no run would know is refused, as are a swarm too many and one too few', async () => {
  const { url } = server.current;
  const one = defineSchema({ heartbeat: 'beat:{coordinator}' });
  const refused = async (options: object) =>
    await beat({ redis: url, coordinator: 'c', ...options }).then(() => '', String);
  expect(await refused({ schema: one, coordinator: 'a:b' })).toContain('is no id of schema "own"');
  expect(await refused({ schema: 'flat', coordinator: 'heartbeat' })).toContain('is no id of schema "flat"');
  expect(await refused({ schema: 'flat', coordinator: '' })).toContain('must be an id, not empty');
  expect(await refused({ schema: 'swarm' })).toContain('give "swarm"');
  expect(await refused({ schema: 'flat', swarm: 's' })).toContain('leave "swarm" out');
  expect(await refused({ schema: 'flt' })).toContain('known: swarm, flat');
  expect(await refused({ schema: 'flat', ttl: '6s' })).toContain('less than twice "every"');
  expect(await keysIn(server.current.redis)).toEqual([]);
});

test("a heartbeat has its time to live, goes on by itself, and says what it is told by Redis' clock", async () => {
  const { redis, url } = server.current;
  const heart = await beat({
    redis: url,
    schema: 'flat',
    coordinator: 'c1',
    every: '10ms',
    ttl: '1h',
    fields: () => ({ status: 'on', timestamp: 1 }),
  });
  const first = heart.lastBeatAt;
  await expect.poll(() => heart.lastBeatAt).toBeGreaterThan(first);
  const value = JSON.parse((await redis.get(heart.key)) ?? '{}');
  expect(value).toMatchObject({ coordinatorId: 'c1', status: 'on', timestamp: expect.any(Number) });
  expect(value.timestamp).toBeGreaterThanOrEqual(first);
  expect(await redis.pttl(heart.key)).toBeGreaterThan(3_500_000);
  await Promise.all([heart.stop(), heart.stop()]);
  expect(await redis.exists(heart.key)).toBe(0);
});

test("stop leaves a heartbeat that another has written since, and the caller's client as it is", async () => {
  const redis = new Redis(server.current.url);
  const heart = await beat({ redis, schema: 'flat', coordinator: 'c1', every: '1h', ttl: '2h' });
  await redis.set(heart.key, 'of another');
  await heart.stop();
  expect([await redis.get(heart.key), redis.status]).toEqual(['of another', 'ready']);
  redis.disconnect();
});

test('a beat that fails is told, and the next one comes; aborting stops', async () => {
  const { redis, url } = server.current;
  const stop = new AbortController();
  const errors: string[] = [];
  const options = { redis: url, schema: 'flat', coordinator: 'c1', every: '10ms', ttl: '1m', signal: stop.signal };
  const heart = await beat({ ...options, onError: ({ message }) => errors.push(message) });
  await redis.config('SET', 'maxmemory', '1');
  await expect.poll(() => errors.join()).toContain('OOM');
  await redis.config('SET', 'maxmemory', '0');
  const { lastBeatAt } = heart;
  await expect.poll(() => heart.lastBeatAt).toBeGreaterThan(lastBeatAt);
  stop.abort();
  await expect.poll(async () => await redis.exists(heart.key)).toBe(0);
});

test('a signal takes the heartbeat along and ends the process; where somebody listens to it the heart goes on', async () => {
  const { redis, url } = server.current;
  const start = async (coordinator: string, listens: boolean) => {
    const code = `import { beat } from ${JSON.stringify(LIBRARY)};
      ${listens ? "process.on('SIGTERM', () => console.log('heard'));" : ''}
      await beat({ redis: ${JSON.stringify(url)}, schema: 'flat', coordinator: '${coordinator}', every: '10ms', ttl: '1m' });
      console.log('beating');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await once(child.stdout, 'data');
    return child;
  };
  const [alone, heard] = await Promise.all([start('c1', false), start('c2', true)]);
  const ended = once(alone, 'exit');
  const said = once(heard.stdout, 'data');
  for (const child of [alone, heard]) child.kill('SIGTERM');
  expect(await ended).toEqual([null, 'SIGTERM']);
  await said;
  expect(await keysIn(redis)).toEqual(['blocking:heartbeat:c2']);
  const gone = once(heard, 'exit');
  heard.kill('SIGKILL');
  await gone;
});
