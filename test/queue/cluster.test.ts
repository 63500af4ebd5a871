import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Finding } from '../../src/health/finding.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { explainRefusal } from '../../src/queue/refusal.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { waitForRun } from '../../src/queue/runs/waitForRun.ts';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { connect } from '../../src/redis/connection/connect.ts';
import { settleIn } from '../support/cluster.ts';
import { primaryOf, startCluster, type TestCluster } from '../support/clusterServers.ts';
import { command } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';
import { NEVER } from '../support/queue.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { agreed, ownerOf } from '../support/slotMoves.ts';
import { serverFiles } from '../support/tls.ts';
import { work } from '../support/worker.ts';
import { ACTIVE, STALE } from '../support/world.ts';
import { killOften, ofCluster } from './kills.ts';

const QUIET = { onError: () => {}, onReady: () => {} };
let cluster: TestCluster;

const folder = mkdtempSync(join(tmpdir(), 'stalesweep-tls-'));
const files = serverFiles(folder);

beforeAll(async () => {
  cluster = await startCluster(3, { replicas: true, tls: files.args });
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function json(args: readonly string[], env: Record<string, string>): Promise<unknown[]> {
  const { code, stdout, stderr } = await command(args, env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (stdout.trim() === '' ? [] : [JSON.parse(stdout) as unknown]).flat();
}

test('one cluster is the target and has the queue: schedule, runs, ledger, pages and doctor, by the URL of any node', async () => {
  const env = { REDIS_URL: cluster.url, QUEUE_REDIS_URL: cluster.nodes[1]?.url ?? '', STALESWEEP_EVERY: '1h' };
  const living = await settleIn(cluster, 'living', ACTIVE);
  await settleIn(cluster, 'c1', STALE);
  const working = await work(env);
  // The first of an interval begins at once.
  const past = async () => (await json(['history', '--json'], env)) as unknown[];
  await expect.poll(past, { interval: 200 }).toMatchObject([{ by: 'schedule', state: 'completed' }]);
  // A busy machine makes an outage of some seconds, which no silence counts.
  await settleIn(cluster, 'c2', 2 * STALE);
  const [report] = await json(['enqueue', '--wait', '--json'], { ...env, QUEUE_REDIS_URL: cluster.url });
  expect(report).toMatchObject({ outcome: 'completed', coordinators: { active: 1, swept: 1 } });
  const keys = (await cluster.keys()).filter((key) => !key.startsWith('{stalesweep}:'));
  expect(keys).toEqual([...living].sort());

  const dashboard = await startDashboard(env);
  try {
    const pages = ['/', '/runs', '/queues', '/readyz', '/metrics'].map(async (path) => await dashboard.ask(path));
    expect((await Promise.all(pages)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const page = await (await dashboard.ask('/runs?find=c2')).text();
    expect(page).toContain('c2');
  } finally {
    await dashboard.close();
  }
  const findings = (await json(['doctor', '--json'], env)) as Finding[];
  expect(findings.filter(({ target }) => target === null)).toMatchObject([
    { check: 'connection', status: 'ok' },
    {
      check: 'server',
      message: expect.stringMatching(/^a cluster, of which 127.0.0.1:\d+ serves the slot of the queue/),
    },
    { check: 'replicas', message: expect.stringMatching(/^127.0.0.1:\d+ has one/) },
    { check: 'version' },
    { check: 'eviction' },
    { check: 'work', message: '1 worker, not paused, no rate limit' },
    { check: 'address', status: 'warning' },
  ]);
  await working.close();
  expect(working.log()).not.toMatch(/"level":[456]0/);
});

test('users and TLS reach it, and who may not ask CLUSTER as well', async () => {
  for (const { redis } of cluster.nodes) {
    await redis.call('ACL', 'SETUSER', 'clerk', 'on', '>s3cret', '~*', '&*', '+@all', '-cluster');
  }
  const env = { REDIS_URL: cluster.url, STALESWEEP_TLS_CA: files.ca };
  const url = cluster.tlsUrl.replace('://', '://clerk:s3cret@');
  const asked = await command(['enqueue', '--json'], { ...env, QUEUE_REDIS_URL: url });
  const { stdout } = await command(['enqueue', '--json'], { ...env, QUEUE_REDIS_URL: cluster.tlsUrl });
  expect(JSON.parse(stdout)).toEqual({ ...(JSON.parse(asked.stdout) as object), joined: true });
});

test.for([
  [
    { STALESWEEP_QUEUE_PREFIX: 'team-a' },
    'queue.prefix "team-a" has no braces, without which a cluster spreads its keys over all nodes; write "{team-a}"',
  ],
  [
    { QUEUE_REDIS_URL: 'redis+cluster://127.0.0.1:1,127.0.0.1:2' },
    'redis+cluster://127.0.0.1:1,127.0.0.1:2 could not be reached: connection refused',
  ],
] as const)('what keeps a queue from a cluster is said in one sentence: %o', async ([more, sentence]) => {
  const env = { REDIS_URL: cluster.url, QUEUE_REDIS_URL: cluster.url, ...more };
  const { code, stderr } = await command(['enqueue'], env);
  expect(code).toBe(1);
  expect(stderr).toContain(sentence);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('that its slot goes from node to node is said in a sentence, where it goes faster than it can be followed', async () => {
  const owner = primaryOf(slotOfText('{stalesweep}:id'), 3);
  const other = cluster.nodes.find((_, nth) => nth !== owner);
  const error: unknown = await other?.redis.get('{stalesweep}:id').catch((one: unknown) => one);
  expect(error).toMatchObject({ message: expect.stringMatching(/^MOVED /) });
  expect(explainRefusal(error)).toMatchObject({
    message:
      "the queue's Redis refuses: the slot of the queue is going from node to node of the cluster; try again once it stays",
  });
});

/** Has a slot go to another node, from its first step to its last. */
async function moving(slot: number) {
  const from = await ownerOf(cluster, slot);
  const others = cluster.nodes.slice(0, 3).filter((node) => node !== from);
  const [to] = others as [TestRedis, TestRedis];
  const [source, target] = await Promise.all(
    [from, to].map(async ({ redis }) => String(await redis.call('CLUSTER', 'MYID'))),
  );
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source as string);
  await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target as string);
  return {
    from,
    arrive: async () => {
      for (const { redis } of [to, from, ...others]) {
        await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', target as string);
      }
    },
    stay: async () => {
      for (const { redis } of [from, to]) await redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
    },
  };
}

test('its slot is followed as often as it goes to another node, by all that is asked at once, and waited for while it is on its way', async () => {
  const slot = slotOfText('{wanders}');
  const redis = await connect(cluster.url, { prefix: '{wanders}' });
  onTestFinished(() => redis.disconnect());
  const first = await moving(slot);
  const onItsWay = redis.get('{wanders}:a');
  onItsWay.catch(() => {});
  await expect.poll(() => redis.status).not.toBe('ready');
  await first.arrive();
  expect(await onItsWay).toBe(null);
  for (const _ of ['there', 'back']) {
    await agreed(cluster);
    await (await moving(slot)).arrive();
    await agreed(cluster);
    const several = ['b', 'c'].map(async (key) => await redis.get(`{wanders}:${key}`));
    expect(await Promise.all(several)).toEqual([null, null]);
  }
});

test('who waits for a run goes on to while its slot is on its way', async () => {
  const prefix = '{awaited}';
  const target = await startRedis();
  onTestFinished(async () => await target.stop());
  const env = { ...NEVER, REDIS_URL: target.url, QUEUE_REDIS_URL: cluster.url, STALESWEEP_QUEUE_PREFIX: prefix };
  const config = loadConfig({}, env);
  const queues = await openQueues(config.queue, QUIET);
  onTestFinished(async () => await queues.close());
  const { run } = await enqueue(queues.runs, config.targets, { target: 'default', trigger: 'manual' });
  const { from, stay } = await moving(slotOfText(prefix));
  const waiting = waitForRun(queues, config.queue, QUIET, run);
  waiting.catch(() => {});
  await expect.poll(async () => String(await from.redis.call('CLIENT', 'LIST'))).toContain('cmd=xread');
  await stay();
  await work(env);
  expect(await waiting).toMatchObject({ run, outcome: 'completed' });
});

test('the node that has the queue dies at any moment: the run asked for stands in the ledger once, with all who went (P3, P13)', async () => {
  const target = await startRedis();
  onTestFinished(async () => await target.stop());
  const env = { ...NEVER, REDIS_URL: target.url, QUEUE_REDIS_URL: cluster.url, STALESWEEP_NICE: '2' };
  const prefix = '{stalesweep}:killed';
  const working = await work({ ...env, STALESWEEP_QUEUE_PREFIX: prefix });
  const place = ofCluster(cluster);
  const told = await killOften({ place, target, env: { ...env, STALESWEEP_QUEUE_PREFIX: prefix }, count: 1 });
  expect(told).toMatchObject({ asked: 1, runs: 1, lost: 0, doubled: 0, outcomes: { completed: 1 } });
  expect(told.recorded).toBeGreaterThanOrEqual(told.gone);
  await working.close();
});
