import { setImmediate } from 'node:timers/promises';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examine } from '../../src/cli/doctor.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { cli } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { keysIn, STALE, settle } from '../support/world.ts';

const whole = useRedis();
let node: TestRedis;

beforeAll(async () => {
  // The usual one, 10,000 above the other, may lie beyond the last.
  const busPort = await getPort({ host: '127.0.0.1' });
  node = await startRedis(['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`]);
  await node.redis.cluster('ADDSLOTSRANGE', 0, 16_383);
  // It takes a moment until they are served.
  const isServed = () => node.redis.set('other', '1').catch(() => null);
  while ((await isServed()) === null) await setImmediate();
});
afterAll(async () => await node.stop());

/** What every command says, on standard error or in the log, of a node of a cluster. */
const said = (url: string) =>
  `Redis at ${url} is a node of a cluster, which holds only a part of the keys; clusters can not be used for this yet: give the URL of a Redis that holds all of them`;

const NEVER = { STALESWEEP_CRON: '0 0 1 1 *' };

describe('a plain URL of a node of a cluster is refused in one sentence', () => {
  test.each(['populate --coordinators 10 --stale 5 --force'])('as the target: %s', async (line) => {
    const keys = await settle(node.redis, 'c', STALE);
    const ended = await command(line.split(' '), { REDIS_URL: node.url, QUEUE_REDIS_URL: whole.current.url });
    expect(ended).toEqual({ code: 1, stdout: '', stderr: `stalesweep: ${said(node.url)}\n` });
    expect(await keysIn(node.redis)).toEqual([...keys, 'other'].sort());
  });

  test.each([
    ['history', command],
    ['schedule', command],
    ['enqueue', command],
    ['enqueue --wait', command],
    ['stop', command],
    ['worker', cli],
    ['dashboard', cli],
    ['start', cli],
  ] as const)('as the Redis of the queue: %s', async (line, ask) => {
    const before = await keysIn(node.redis);
    const env = {
      REDIS_URL: whole.current.url,
      QUEUE_REDIS_URL: node.url,
      STALESWEEP_PORT: '0',
      LOG_LEVEL: 'error',
      ...NEVER,
    };
    const ended = await ask(line.split(' '), env);
    expect(ended).toEqual({ code: 1, stdout: '', stderr: `stalesweep: ${said(node.url)}\n` });
    expect(await keysIn(node.redis)).toEqual(before);
  });

  test('doctor says so of the queue', async () => {
    const config = resolveConfig({}, { REDIS_URL: node.url });
    const findings = await examine(config, [...config.targets.values()]);
    expect(findings.filter(({ target }) => target === null)).toEqual([
      { target: null, check: 'server', status: 'failed', message: said(node.url), advice: null },
    ]);
  });
});
