import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { bareStartMs, cli } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { configFile } from '../support/files.ts';
import { allSwept, populate } from '../support/populate.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { addUser, UNSCRIPTED } from '../support/users.ts';
import { foreignIn } from '../support/world.ts';

let server: TestRedis;
/** On a machine that does much else, starting takes longer, too. */
let startMs: number;
function env(more: Record<string, string> = {}): Record<string, string> {
  return { REDIS_URL: server.url, ...more };
}

beforeAll(async () => {
  server = await startRedis();
  startMs = 40 * (await bareStartMs());
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  await server.redis.flushall();
});

describe('run', () => {
  test('removes every key of 1,900 stale coordinators, keeps the 600 of 100 active ones, and prints just that', async () => {
    const own = env();
    await populate(own, 2_000, 1_900);
    const dry = await command(['run', '--dry-run', '--json'], own);
    expect(await foreignIn(server.redis)).toBe(12_000);
    const real = await cli(['run', '--json'], own);
    expect({ code: real.code, stderr: real.stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(real.stdout) as Report;
    expect(report.coordinators).toEqual(allSwept(2_000, 1_900));
    const byFamily = { heartbeat: 1_900, signal: 1_900, ack: 3_800, idempotency: 1_900, activity: 1_900, state: 0 };
    expect(report.keys).toEqual({ found: 11_400, deleted: 11_400, orphans: 0, kept: 0, byFamily });
    const counted = JSON.parse(dry.stdout) as Report;
    expect(counted.keys).toEqual({ found: 11_400, deleted: 0, orphans: 0, kept: 0, byFamily });
    expect(counted.coordinators).toMatchObject({ stale: 1_900, swept: 0, revived: 0 });
    const left = (await server.redis.keys('*')).filter((key) => !key.startsWith('{stalesweep}:'));
    expect(left).toHaveLength(600);
    expect(left.filter((key) => !/coordinator-19\d\d\b/.test(key))).toEqual([]);
  });
});

describe('run that fails on its way', () => {
  test.each([['--json'], []])('prints the report so far, as failed and why, and ends with 1 (%s)', async (...how) => {
    await populate(env(), 100, 90);
    const url = await addUser(server, ['+@all', '~swarm:*', '~blocking:ack:*']);
    const { code, stdout, stderr } = await command(['run', ...how, '--yes'], { ...env(), REDIS_URL: url });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('grant') });
    expect(await foreignIn(server.redis)).toBe(600);
    if (how.length === 0) {
      expect(stdout).toMatch(/^run \S+ of target "default": failed in /);
      expect(stdout).not.toContain('freed');
      return;
    }
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('grant') });
    expect(report.coordinators).toMatchObject({ active: 10, stale: 90, swept: 0 });
    expect(report.keys.deleted).toBe(0);
  });
});

describe('run --list', () => {
  test('says who would go, then who goes: a line each, as JSON with the report last', async () => {
    await populate(env(), 200, 180);
    const dry = await command(['run', '--dry-run', '--list'], env());
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    const shown = dry.stdout.split('\n');
    expect(shown.filter((line) => /^\S+ in swarm-\d+, silent for 1h/.test(line))).toHaveLength(180);
    const reportAt = shown.findIndex((line) => line.startsWith('run '));
    for (const line of shown.slice(0, reportAt)) expect(line.length).toBeLessThanOrEqual(80);
    const { code, stdout, stderr } = await command(['run', '--list', '--json'], env());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const report = lines.pop() as Report;
    expect(report.coordinators.swept).toBe(180);
    expect(new Set(lines.map(({ coordinator }) => coordinator)).size).toBe(180);
    const sums: Record<string, number> = {};
    for (const { keys, ...one } of lines) {
      expect(one).toEqual({
        coordinator: expect.any(String),
        swarm: expect.stringMatching(/^swarm-\d+$/),
        silenceSeconds: expect.any(Number),
      });
      for (const [family, count] of Object.entries(keys)) sums[family] = (sums[family] ?? 0) + Number(count);
    }
    expect(sums).toEqual(report.keys.byFamily);
  });
});

test('explain tells whose a key is, what a run does with it, and once that has been done, when and by whom', async () => {
  const at = Date.now() - 700_000;
  await server.redis.set('swarm:s1:blocking:heartbeat:c42', JSON.stringify({ timestamp: at }));
  await server.redis.set('blocking:ack:c42:1', '1');
  const asked = await cli(['explain', 'blocking:ack:c42:1', '--json'], env());
  expect({ code: asked.code, stderr: asked.stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(asked.stdout)).toMatchObject([
    {
      name: 'blocking:ack:c42:1',
      kind: 'key',
      family: 'ack',
      owners: [{ coordinator: 'c42', swarm: 's1', state: 'stale' }],
      verdict: 'goes',
      swept: [],
    },
  ]);
  const report = JSON.parse((await command(['run', '--json'], env())).stdout) as Report;
  const told = await command(['explain', 'c42'], env());
  expect(told.stdout.replace(/\s+/g, ' ')).toContain(`c42 in s1 was swept by run ${report.run} (`);
  // Only a name that is longer than a line makes a longer one.
  expect(told.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

describe('the command line', () => {
  test.each([
    [['run', '--stale-after', '10'], '--stale-after: "10" has no unit; write 10s, 10m or 10ms'],
    [['run', '--stale-after', '5s'], 'target "default": staleAfter (5s) is below minStaleAfter (60s); raise the one'],
    [['run', '--target', 'nope'], 'unknown target "nope"; there are: default'],
    [['run', '--dryrun'], "unknown option '--dryrun' (Did you mean --dry-run?)"],
    [['rum'], "unknown command 'rum' (Did you mean run?)"],
    [['enqueue', '--stale-after', '5s'], '"staleAfter" of 5s is below the minStaleAfter of target "default"'],
    [['history', '--limit', '0'], '--limit: "0" must be a whole number from 1 to 10000'],
    [['populate', '--coordinators', '5', '--stale', '6'], '--stale: "6" must be a whole number from 0 to 5'],
    [['populate', '--coordinators', '5', '--stale', '0', '--ttl', '5'], '--ttl: "5" has no unit; write 5s, 5m or 5ms'],
    [['dashboard', '--host', '0.0.0.0'], 'STALESWEEP_DASHBOARD_USER'],
  ])('answers %j with exit code 2 and one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await command(args, env());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr.split('\n').filter((line) => line.startsWith('stalesweep: '))).toHaveLength(1);
    expect(stderr).not.toContain('    at ');
  });

  test('stops with exit code 2 and a sentence at a setting nobody knows', async () => {
    const { code, stderr } = await command(['run'], env({ STALESWEEP_STALE_AFTR: '10m' }));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'stalesweep: unknown setting "STALESWEEP_STALE_AFTR", did you mean "STALESWEEP_STALE_AFTER"?\n',
    });
  });

  test.each([
    ['run', command],
    ['enqueue', cli],
    ['schedule', command],
    ['history', command],
    ['populate --coordinators 1 --stale 0', command],
    ['worker', cli],
    ['dashboard', command],
    ['start', command],
  ] as const)(
    '%s ends within 10 seconds with exit code 1 and one sentence, without the password, when Redis is not there',
    async (line, ask) => {
      const startedAt = performance.now();
      const { code, stdout, stderr } = await ask(line.split(' '), {
        REDIS_URL: 'redis://user:hush@127.0.0.1:1',
        LOG_LEVEL: 'silent',
      });
      expect(performance.now() - startedAt).toBeLessThan(10_000 + startMs);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe(
        'stalesweep: Redis at redis://user:***@127.0.0.1:1 could not be reached: connection refused\n',
      );
    },
  );

  test('refuses to write sample coordinators into a database that holds anything, unless forced', async () => {
    await server.redis.set('mine', '1');
    const args = ['populate', '--coordinators', '10', '--stale', '5'];
    const refused = await command(args, env());
    expect(refused).toEqual({
      code: 2,
      stdout: '',
      stderr: 'stalesweep: the database holds 1 keys; use an empty one, or --force to add to it\n',
    });
    expect((await command([...args, '--force'], env())).stdout).toBe(
      'wrote 10 coordinators, 5 of them stale, in 60 keys\n',
    );
    expect(await foreignIn(server.redis)).toBe(61);
  });

  test('ends a refused run with exit code 1, and goes on with --force', async () => {
    await populate(env(), 100, 90);
    const file = await configFile('maxStaleFraction: 0.5\n');
    const refused = await command(['run', '--json'], env({ STALESWEEP_CONFIG: file }));
    expect(refused.code).toBe(1);
    const report = JSON.parse(refused.stdout) as Report;
    expect(report).toMatchObject({ outcome: 'refused', keys: { deleted: 0 }, coordinators: { stale: 90, swept: 0 } });
    expect(report.reason).toContain('90 of 100 coordinators look stale');
    expect(await foreignIn(server.redis)).toBe(600);
    expect((await command(['run', '--force'], env({ STALESWEEP_CONFIG: file }))).code).toBe(0);
    // What the last stale one sent to its neighbour, who is active, stays.
    expect(await foreignIn(server.redis)).toBe(61);
  });

  test('doctor finds the schema that fits, and timestamps in seconds', async () => {
    await populate(env({ STALESWEEP_SCHEMA: 'flat' }), 10, 5);
    const wrong = await command(['doctor'], env());
    expect(wrong.code).toBe(0);
    const fits = 'there are heartbeats of schema "flat" or "claude-flow-novice": set STALESWEEP_SCHEMA=flat';
    expect(wrong.stdout).toContain(fits);
    const run = await command(['run'], env());
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/^stalesweep: all 60 keys hold no heartbeat of schema "swarm" .*\n$/);
    for (const printed of [run.stderr, run.stdout]) expect(printed).toContain(fits);
    await server.redis.set('blocking:heartbeat:s', `{"timestamp": ${Math.floor(Date.now() / 1000)}}`);
    const seconds = await command(['doctor', '--json'], env({ STALESWEEP_SCHEMA: 'flat' }));
    expect(seconds.code).toBe(0);
    expect(seconds.stdout).toContain('(wrong-unit): blocking:heartbeat:s');
  });

  test('a user without scripts is cleaned by transaction, and doctor says so beforehand', async () => {
    await populate(env(), 100, 90);
    const own = env({ REDIS_URL: await addUser(server, UNSCRIPTED), QUEUE_REDIS_URL: server.url });
    const { code, stdout } = await command(['doctor', '--acl'], own);
    expect(code).toBe(0);
    expect((await command(['doctor'], own)).stdout).not.toContain('acl:');
    expect(stdout).toContain('strategy: a run removes by transaction, since the user may not run EVALSHA\n');
    for (const way of ['runs by script', 'runs by transaction', 'dry runs']) {
      expect(stdout).toContain(`acl: ${way}: ACL SETUSER stalesweep on >secret ~blocking:signal:* `);
    }
    const run = await command(['run', '--json'], own);
    expect(run.stderr).toBe(
      'stalesweep: no scripts here (the user may not run EVALSHA): the run goes on by transaction, with WATCH and MULTI\n',
    );
    expect(JSON.parse(run.stdout)).toMatchObject({ strategy: 'transaction', coordinators: { swept: 90 } });
    // What the last stale one sent to its neighbour, who is active, stays.
    expect(await foreignIn(server.redis)).toBe(61);
  });

  test('a user who may only read is told what to grant, by a run and by doctor', async () => {
    await populate(env(), 10, 5);
    const url = await addUser(server, ['~blocking:*', '+@read', '+info', '+time', '+ping']);
    const own = env({ REDIS_URL: url, QUEUE_REDIS_URL: server.url });
    const grant = 'grant it +unlink, and either +eval +evalsha or +watch +multi +exec +discard';
    const what = 'may not run UNLINK, EVALSHA, WATCH, MULTI, EXEC, DISCARD';
    expect(await command(['run'], own)).toEqual({
      code: 1,
      stdout: '',
      stderr: `stalesweep: the user of redis://stalesweep:***@127.0.0.1:${server.port} ${what}; ${grant}\n`,
    });
    const doctor = await command(['doctor'], own);
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toContain(`FAIL  default: permissions: the user ${what}\n      -> ${grant}\n`);
    expect(doctor.stdout).toContain('-> grant it ~swarm:*:agent:*:activity ~swarm:*:blocking:*, unless');
    expect(await foreignIn(server.redis)).toBe(60);
  });
});
