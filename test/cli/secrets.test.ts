import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli, type Running, start } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { configFile } from '../support/files.ts';
import { populate } from '../support/populate.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

// Passwords that nothing else could hold, one for each place.
const TARGET = 'hush-target-7d1f';
const QUEUE = 'hush-queue-9b3e';
const DASHBOARD = 'hush-dashboard-4c2a';

let target: TestRedis;
let queue: TestRedis;
beforeAll(async () => {
  [target, queue] = await Promise.all([startRedis(), startRedis()]);
  await target.redis.acl('SETUSER', 'sweeper', 'on', `>${TARGET}`, '~*', '+@all');
  await queue.redis.acl('SETUSER', 'queuer', 'on', `>${QUEUE}`, '~*', '&*', '+@all');
});
afterAll(async () => {
  await Promise.all([target?.stop(), queue?.stop()]);
});

function urls() {
  return {
    REDIS_URL: `redis://sweeper:${TARGET}@127.0.0.1:${target.port}`,
    QUEUE_REDIS_URL: `redis://queuer:${QUEUE}@127.0.0.1:${queue.port}`,
  };
}
function environment(): Record<string, string> {
  return {
    ...urls(),
    STALESWEEP_DASHBOARD_USER: 'admin',
    STALESWEEP_DASHBOARD_PASSWORD: DASHBOARD,
    STALESWEEP_CRON: '0 0 1 1 *',
    STALESWEEP_PORT: '0',
    STALESWEEP_METRICS_PORT: '0',
    LOG_LEVEL: 'trace',
  };
}

/** Everything a Redis holds, as text; the values of all types that BullMQ uses are in their dumps. */
async function contentOf({ redis }: TestRedis): Promise<string> {
  await redis.config('SET', 'list-compress-depth', '0', 'rdbcompression', 'no');
  const keys = await redis.keys('*');
  const dumps = await Promise.all(keys.map(async (key) => (await redis.dumpBuffer(key))?.toString('latin1')));
  return [...keys, ...dumps].join('\n');
}

test.each([
  ['environment', ['dashboard', 'worker'], async () => environment()],
  [
    'file',
    ['start'],
    async () => {
      const { REDIS_URL, QUEUE_REDIS_URL } = urls();
      const { REDIS_URL: _, QUEUE_REDIS_URL: __, STALESWEEP_DASHBOARD_PASSWORD: ___, ...rest } = environment();
      const text = `targets: { default: { url: "${REDIS_URL}" } }\nqueue: { url: "${QUEUE_REDIS_URL}" }\n`;
      return { ...rest, STALESWEEP_CONFIG: await configFile(`${text}dashboardPassword: "${DASHBOARD}"\n`) };
    },
  ],
] as const)(
  'secrets that come by the %s, to %j, are in no log, error, page, metric, process list, job or report',
  async (by, commands, given) => {
    const env = await given();
    await populate(env, 100, 90);
    // Each in a process of its own, or both in one.
    const running = commands.map((line) => start([line], env));
    const [dashboard, worker = dashboard] = running as [Running, Running?];
    await Promise.all([worker.says('worker started'), dashboard.says('dashboard started')]);
    const said: Record<string, string> = {};

    // One is a process of its own, and so are those that stay: the others print the same in this one.
    const ran = await (by === 'environment' ? cli : command)(['enqueue', '--wait', '--json'], env);
    expect(ran.code).toBe(0);
    said.process = ran.stdout + ran.stderr;
    for (const args of [
      ['run'],
      ['enqueue'],
      ['schedule'],
      ['history', '--json'],
      ['doctor', '--json'],
      ['run', '--target', 'x'],
    ]) {
      const { stdout, stderr } = await command(args, env);
      said[args.join(' ')] = stdout + stderr;
    }
    const headers = { authorization: `Basic ${Buffer.from(`admin:${DASHBOARD}`).toString('base64')}` };
    const address = /"url":"(http[^"]+)"/.exec(dashboard.stderr())?.[1];
    const metrics = /"url":"(http[^"]+)\/metrics"/.exec(worker.stderr())?.[1];
    expect(metrics === undefined).toBe(worker === dashboard);
    for (const [base, path] of [
      [address, '/metrics'],
      [address, '/queues'],
      [address, '/queues/api/queues?activeQueue=cleanup'],
      [address, '/queues/api/redis/stats'],
      [address, '/queues/api/queues/cleanup/workers'],
      [address, '/readyz'],
      [address, '/nowhere'],
      [metrics ?? address, '/metrics'],
    ] as const) {
      const response = await fetch(`${base}${path}`, { headers });
      said[path] = JSON.stringify([...response.headers]) + (await response.text());
    }
    const wrong = await fetch(`${address}/queues`, {
      headers: { authorization: `Basic ${btoa(`admin:${DASHBOARD}x`)}` },
    });
    said.wrongPassword = await wrong.text();
    const pids = running.map(({ child }) => child.pid).join();
    said.processes = execFileSync('ps', ['-ww', '-o', 'args=', '-p', pids], { encoding: 'utf8' });
    for (const line of commands) expect(said.processes).toContain(line);

    // Both lose their Redis, which they log, and are refused when they come back.
    for (const [server, user] of [
      [target, 'sweeper'],
      [queue, 'queuer'],
    ] as const) {
      await server.redis.acl('SETUSER', user, 'off');
      await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'USER', user, 'SKIPME', 'yes');
    }
    await Promise.all([worker.says('lost; trying again'), dashboard.says('lost; trying again')]);
    said.unready = await (await fetch(`${address}/readyz`)).text();
    expect(said.unready).toContain('unavailable');
    const refused = await command(['run'], env);
    expect(refused.code).toBe(1);
    said.refused = refused.stdout + refused.stderr;
    for (const [server, user] of [
      [target, 'sweeper'],
      [queue, 'queuer'],
    ] as const) {
      await server.redis.acl('SETUSER', user, 'on');
    }
    await Promise.all([worker.says('queue: back'), dashboard.says('queue: back')]);
    for (const [i, name] of commands.entries()) {
      const { code, stdout, stderr } = (await running[i]?.kill('SIGTERM')) ?? {};
      expect(code, name).toBe(0);
      said[name] = `${stdout}${stderr}`;
    }
    said.targetContent = await contentOf(target);
    said.queueContent = await contentOf(queue);
    expect(said.queueContent).toContain('cleanup');
    for (const [where, text] of Object.entries(said)) expect(text, where).not.toMatch(/hush-\w+-\w{4}/);
    await Promise.all([target.redis.flushall(), queue.redis.flushall()]);
  },
);
