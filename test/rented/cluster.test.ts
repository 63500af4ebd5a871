import { setImmediate } from 'node:timers/promises';
import getPort from 'get-port';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

/** What is said of a node of a cluster. */
function said(url: string) {
  return `Redis at ${url} is a node of a cluster, which holds only a part of the keys; clusters can not be used for this yet: give the URL of a Redis that holds all of them`;
}

test('a plain URL of a node of a cluster is refused in one sentence by populate', async () => {
  const keys = await settle(node.redis, 'c', STALE);
  const ended = await command(['populate', '--coordinators', '10', '--stale', '5', '--force'], {
    REDIS_URL: node.url,
    QUEUE_REDIS_URL: whole.current.url,
  });
  expect(ended).toEqual({ code: 1, stdout: '', stderr: `stalesweep: ${said(node.url)}\n` });
  expect(await keysIn(node.redis)).toEqual([...keys, 'other'].sort());
});
