import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { examine } from '../../src/cli/examine/doctor.ts';
import { resolveConfig, type TargetConfig } from '../../src/config/resolve.ts';
import { explainRefusal } from '../../src/queue/refusal.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { whyNoQueue } from '../../src/redis/rights/needs.ts';
import { command } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';
import { ledgerIn, noteRun } from '../support/pastRuns.ts';
import { startRedis } from '../support/redis.ts';
import { addUser } from '../support/users.ts';
import { work } from '../support/worker.ts';
import { foreignIn, heartbeatOf, settle, STALE } from '../support/world.ts';

// A queue's Redis that lacks what BullMQ waits for or writes by, as rented ones do.

const QUIET = { onError: () => {}, onReady: () => {} };

async function withoutCommand(name: string) {
  const server = await startRedis(['--rename-command', name, '']);
  onTestFinished(async () => await server.stop());
  return resolveConfig({}, { REDIS_URL: server.url, QUEUE_REDIS_URL: server.url, STALESWEEP_CRON: '0 0 1 1 *' });
}

test.each(['BZPOPMIN', 'XADD', 'XREAD', 'EVAL'])(
  'a worker whose queue can not do without %s says so and ends, and so does doctor',
  async (name) => {
    const config = await withoutCommand(name);
    const sentence = `the queue's Redis does not take ${name} (ERR unknown command '${name}'); a queue needs that: use a server that has it`;
    await expect(work(config)).rejects.toThrow(sentence);
    const findings = await examine(config, []);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'commands', status: 'failed', message: sentence }),
    );
  },
);

test('what its scripts may not do is told without the script', async () => {
  const config = await withoutCommand('XADD');
  const queues = await openQueues(config.queue, QUIET);
  onTestFinished(async () => await queues.close());
  const error: unknown = await enqueue(queues.runs, config.targets, { target: 'default' }).catch((one: unknown) => one);
  // Valkey does not say whose command.
  expect((explainRefusal(error) as Error).message.replace('Unknown Redis', 'Unknown')).toBe(
    "the queue's Redis says: ERR Unknown command called from script",
  );
});

async function withoutRight(refused: string) {
  const server = await startRedis();
  onTestFinished(async () => await server.stop());
  const url = await addUser(server, ['~*', '&*', '+@all', `-${refused}`]);
  return { server, env: { REDIS_URL: server.url, QUEUE_REDIS_URL: url, STALESWEEP_CRON: '0 0 1 1 *' } };
}

// Without EXISTS, of all these, a worker did its run, could not say so, and tried that for ever.
test.each(['exists', 'zrange', 'incr', 'lpush'])(
  'a worker whose user may not run %s on the queue says so before anything is removed, and ends',
  async (refused) => {
    const { server, env } = await withoutRight(refused);
    await settle(server.redis, 'c1', STALE);
    const before = await foreignIn(server.redis);
    const sentence = `the user of the queue's Redis may not run ${refused.toUpperCase()}; grant it +${refused}`;
    await expect(work(env)).rejects.toThrow(sentence);
    expect(await foreignIn(server.redis)).toBe(before);
    expect(await examine(resolveConfig({}, env), [])).toContainEqual(
      expect.objectContaining({ check: 'commands', status: 'failed', message: sentence }),
    );
  },
);

test('whoever waits for a run sees that it has ended where it may not hear of that', async () => {
  const { server, env } = await withoutRight('client|setname');
  await settle(server.redis, 'c1', STALE);
  const worker = await work(env);
  expect(await command(['enqueue', '--wait', '--json'], env)).toMatchObject({ code: 0 });
  await worker.close();
});

test('who may do just what runs need finds its target ready, and is told what is missing in a sentence', async () => {
  const server = await startRedis();
  onTestFinished(async () => await server.stop());
  const rights = ['~*', '+info', '+time', '+mget', '+scan', '+exists', '+unlink', '+eval', '+evalsha'];
  const env = { REDIS_URL: await addUser(server, rights), QUEUE_REDIS_URL: server.url };
  const dashboard = await startDashboard(env);
  expect((await dashboard.ask('/readyz')).status).toBe(200);
  await addUser(server, [...rights, '-time']);
  const answer = await dashboard.ask('/readyz');
  expect(await answer.json()).toEqual({
    status: 'unavailable',
    reason: `target "default": the user of redis://stalesweep:***@127.0.0.1:${server.port} may not run TIME; grant it +time`,
  });
  await dashboard.close();
});

/** What a queue makes do without, and what the test itself sends. */
const SPARED = /^(?:client|config|acl)\|/;
const DISPENSABLE = ['auth', 'discard', 'flushall', 'hello', 'info', 'keys', 'mset', 'ping', 'role', 'type'];

test('all that a worker, its schedule, a run and its record send is asked for beforehand', async () => {
  const server = await startRedis();
  onTestFinished(async () => await server.stop());
  const other = await startRedis();
  onTestFinished(async () => await other.stop());
  const env = { REDIS_URL: other.url, QUEUE_REDIS_URL: server.url };
  await settle(other.redis, 'c1', STALE);
  await settle(other.redis, 'c2', 0);
  // Who beat is kept for as long as heartbeats expire.
  await other.redis.pexpire(heartbeatOf('c2'), 600_000);
  // Its targets had other names, too.
  const [target] = resolveConfig({}, env).targets.values();
  await noteRun(ledgerIn(server.redis), { ...(target as TargetConfig), name: 'before' });
  const worker = await work(env);
  for (const line of ['enqueue --wait', 'run --yes', 'history'])
    expect(await command(line.split(' '), env)).toMatchObject({ code: 0 });
  await worker.close();
  const sent = [...(await server.redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !SPARED.test(name) && !DISPENSABLE.includes(name));
  expect(sent.length).toBeGreaterThan(30);
  for (const name of sent) {
    const user = new Redis(await addUser(server, ['~*', '&*', '+@all', `-${name}`]), { retryStrategy: null });
    const why = await whyNoQueue(user, '{stalesweep}').finally(() => user.disconnect());
    expect(why).toBe(`the user of the queue's Redis may not run ${name.toUpperCase()}; grant it +${name}`);
  }
});

test('a run that may not be recorded to its end is not begun in the ledger, and a page says what its user may not do', async () => {
  const { server, env } = await withoutRight('unlink');
  await settle(server.redis, 'c1', STALE);
  const sentence = "the user of the queue's Redis may not run UNLINK; grant it +unlink";
  const ran = await command(['run', '--yes'], { ...env, REDIS_URL: server.url });
  expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining(`this run is not recorded: ${sentence}`) });
  expect(JSON.parse((await command(['history', '--json'], env)).stdout)).toEqual([]);
  await addUser(server, ['~*', '&*', '+@all', '-smembers', '-hget']);
  const dashboard = await startDashboard(env);
  for (const [path, name] of [
    ['/runs', 'smembers'],
    ['/queues/api/queues', 'hget'],
  ] as const) {
    const answer = await dashboard.ask(path);
    expect({ status: answer.status, said: await answer.text() }, path).toEqual({
      status: 503,
      said: expect.stringContaining(`may not run ${name.toUpperCase()}; grant it +${name}`),
    });
  }
  await dashboard.close();
});
