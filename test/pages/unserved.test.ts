/** What is told where a target does not answer, or takes no writes, while the queue does. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveConfig, type TargetConfig } from '../../src/config/resolve.ts';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import { command } from '../support/command.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { going, write } from './past.ts';

const NOWHERE = 'redis://127.0.0.1:1';
const BROWSER = { accept: 'text/html' };
const FORM = { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };

let queue: TestRedis;
let frozen: TestRedis;
let dashboard: TestDashboard;
let pid: number;
beforeAll(async () => {
  [queue, frozen] = await Promise.all([startRedis(), startRedis()]);
  pid = Number(/^process_id:(\d+)/m.exec(await frozen.redis.info('server'))?.[1]);
  const urls = { gone: NOWHERE, frozen: frozen.url, unnamed: 'redis://no-such-host.invalid:6379', full: frozen.url };
  const targets = Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, { url, trash: '1h' }]));
  targets.fine = { url: `${queue.url}/3`, trash: '1h' };
  dashboard = await startDashboard({}, { yaml: JSON.stringify({ queue: { url: queue.url }, targets }) });
  for (const [name, target] of dashboard.config.targets) {
    const identity = { run: `run-${name}`, target: name, fingerprint: fingerprintOf(target), trashMs: 3_600_000 };
    await write(queue.redis, { ...identity, agoMs: 60_000, going: [going('c1'), going('c2')] });
  }
});
afterAll(async () => {
  process.kill(pid, 'SIGCONT');
  await dashboard?.close();
  await Promise.all([queue?.stop(), frozen?.stop()]);
});

async function read(path: string, init: RequestInit = {}) {
  const askedAt = performance.now();
  const answer = await dashboard.ask(path, { headers: BROWSER, ...init });
  const text = (await answer.text()).replace(/<(script|style)[\s\S]*?<\/\1>|<[^>]+>/g, ' ').replace(/\s+/g, ' ');
  return { status: answer.status, text, ms: performance.now() - askedAt };
}

test('the page of all targets says first how many of them need somebody, and why', async () => {
  const page = async () => (await read('/')).text;
  await expect
    .poll(page, { timeout: 10_000, interval: 200 })
    .toMatch(/Out of reach Of 5 targets 2 do not answer\. .*5 targets/);
});

test('a target that takes no writes is told of, with the reason, until it does', async () => {
  const page = async () => (await read('/?target=full')).text;
  await expect.poll(page, { timeout: 10_000 }).toContain('stale after');
  expect(await page()).not.toMatch(/No writes|Out of reach/);
  await frozen.redis.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
  const full =
    'No writes The target takes no writes: its memory is full (maxmemory). Look at that Redis: nobody can beat';
  await expect.poll(page, { timeout: 10_000, interval: 200 }).toContain(full);
  expect((await read('/ask?target=full&kind=run')).text).toContain(
    'A run removes nothing until it takes writes again.',
  );
  await frozen.redis.config('SET', 'maxmemory', '0');
  await frozen.redis.replicaof('127.0.0.1', '1');
  await expect.poll(page, { timeout: 10_000, interval: 200 }).toContain('The target takes no writes: it is a replica.');
  await frozen.redis.replicaof('NO', 'ONE');
  await expect.poll(page, { timeout: 10_000, interval: 200 }).not.toContain('No writes');
});

test.each([
  ['gone', 'connection refused', 'Look at that Redis; what is shown of it is as of its last run'],
  ['unnamed', 'its host name is not known', 'Mend its address in the configuration'],
  ['frozen', 'no answer within 2 seconds', 'Look at that Redis'],
])('of a target that is %s, pages say at once why, what is known and what to do', async (name, why, advice) => {
  process.kill(pid, 'SIGSTOP');
  try {
    const page = async () => (await read(`/?target=${name}`)).text;
    await expect
      .poll(page, { timeout: 10_000, interval: 200 })
      .toMatch(/Out of reach The target does not answer: .*\./);
    expect(await page()).toContain(why);
    expect(await page()).toContain(advice);
    const asks = await read(`/ask?target=${name}&kind=run`);
    expect(asks.text).toContain('A run tries three times, and fails unless it answers by then');
    const address = `/runs/run-${name}/restore?target=${name}`;
    const back = await read(address);
    expect(back.status).toBe(503);
    expect(back.text).toContain(`Target ${name} does not answer: `);
    expect(back.text).toContain('The run swept 2 coordinators and removed 12 things. They lie in the trash of target');
    const given = await read(address, { method: 'POST', headers: FORM, body: 'heartbeats=yes' });
    expect([given.status, given.text]).toEqual([503, expect.stringContaining(`Target ${name} does not answer: `)]);
    // A frozen one keeps nobody for as long as it is waited for.
    expect(Math.max(asks.ms, back.ms, given.ms)).toBeLessThan(1_500);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('explain tells what the ledger knows of an id though its target is gone, and fails', async () => {
  const env = { REDIS_URL: NOWHERE, QUEUE_REDIS_URL: queue.url };
  const fingerprint = fingerprintOf(resolveConfig({}, env).targets.get('default') as TargetConfig);
  await write(queue.redis, {
    ...{ run: 'run-default', target: 'default', fingerprint, trashMs: 3_600_000 },
    ...{ agoMs: 60_000, going: [going('c1')] },
  });
  const keys = ['blocking:ack:c1:3', 'swarm:s1:agent:c1:activity', 'swarm:s2:agent:c1:activity', 'blocking:ack:c3:3'];
  const { code, stdout, stderr } = await command(['explain', 'c1', 'nobody', ...keys, 'c2'], env);
  expect(code).toBe(1);
  expect(stderr).toContain('could not be reached: connection refused');
  const said = stdout.replace(/\s+/g, ' ');
  expect(said).toContain(
    'c1 What a run would do with it now is not known: the target does not answer. c1 in s1 was swept',
  );
  expect(said).toContain('To give it back, once it answers: stalesweep restore c1');
  expect(said).toMatch(/nobody What [^.]*\. No run that stands in the ledger swept a coordinator of this id\./);
  // Keys tell who could own them, and in which swarm.
  expect(said).toMatch(/blocking:ack:c1:3 What [^.]*\. c1 in s1 was swept/);
  expect(said).toMatch(/swarm:s1:agent:c1:activity What [^.]*\. c1 in s1 was swept/);
  // The same server with the same schema had another name once.
  expect(said).toMatch(/ c2 What [^.]*\. c2 in s1 was swept by run run-gone/);
  for (const key of keys.slice(2)) {
    expect(said).toMatch(
      new RegExp(`${key} What [^.]*\\. No run that stands in the ledger swept anybody who could own`),
    );
  }
});
