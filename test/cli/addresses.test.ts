import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, startWorker } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { configFile, folder } from '../support/files.ts';
import { populate } from '../support/populate.ts';
import { NEVER } from '../support/queue.ts';
import { startRedis } from '../support/redis.ts';
import { work } from '../support/worker.ts';

describe('a configuration file that is none', () => {
  const pipe = async () => {
    const name = join(await folder(), 'pipe');
    execFileSync('mkfifo', [name]);
    return name;
  };

  test.each([
    ['a pipe that nobody writes to', pipe, 'is a pipe; name a file'],
    ['a folder', folder, 'is a folder; name a file'],
    ['a device without an end', async () => '/dev/zero', 'holds more than 1 MB'],
    ['a name of nothing', async () => '/nowhere/at/all', 'does not exist'],
  ])('%s is told in one sentence', async (_, make, sentence) => {
    const name = await make();
    const { code, stdout, stderr } = await command(['run'], { STALESWEEP_CONFIG: name });
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `stalesweep: the configuration file ${name} ${sentence}\n`,
    });
  });
});

describe('without a target', () => {
  test.each([
    ['run'],
    ['run', '--dry-run'],
    ['enqueue'],
    ['worker'],
    ['populate', '--coordinators', '1', '--stale', '0'],
  ])('%s %s refuses: what happens to run at the usual address may be anybody’s', async (...args) => {
    const cwd = await folder();
    const { code, stdout, stderr } = await (args[0] === 'worker' ? cli : command)(
      args,
      { QUEUE_REDIS_URL: 'redis://127.0.0.1:1' },
      cwd,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^stalesweep: no target: set REDIS_URL, or name a file with targets .*\n$/);
  });
});

test('what the environment changes behind the back of the file is said in one line', async () => {
  const server = await startRedis();
  const file = await configFile(`targets: { default: { url: "${server.url}", staleAfter: 30m } }`);
  const env = { STALESWEEP_CONFIG: file, STALESWEEP_STALE_AFTER: '2m' };
  const said = `STALESWEEP_STALE_AFTER overrides the staleAfter that ${file} sets for target "default"`;
  expect((await command(['run', '--dry-run'], env)).stderr).toContain(`stalesweep: ${said}\n`);
  const worker = await startWorker({ ...env, ...NEVER });
  expect((await worker.kill('SIGTERM')).stderr).toMatch(
    new RegExp(`"level":40.*"msg":${JSON.stringify(said).replaceAll('\\', '\\\\')}`),
  );
  await server.stop();
});

test('a Redis that listens on a socket alone is cleaned, by run and through a queue there', async () => {
  const path = join(await folder(), 'redis.sock');
  const server = await startRedis(['--unixsocket', path]);
  const env = { REDIS_URL: `unix://${path}?db=2`, QUEUE_REDIS_URL: `unix://${path}`, ...NEVER };
  await populate(env, 20, 10);
  expect(await server.redis.info('keyspace')).toContain('db2:keys=120');
  const dry = await command(['run', '--dry-run', '--json'], env);
  expect(JSON.parse(dry.stdout)).toMatchObject({ outcome: 'completed', coordinators: { stale: 10 } });
  await work(env);
  const real = await command(['enqueue', '--wait', '--json'], env);
  expect(JSON.parse(real.stdout)).toMatchObject({ outcome: 'completed', coordinators: { swept: 10 } });
  const gone = await command(['run'], { REDIS_URL: 'unix:///nowhere/redis.sock' });
  expect(gone).toEqual({
    code: 1,
    stdout: '',
    stderr: 'stalesweep: Redis at unix:///nowhere/redis.sock could not be reached: its socket does not exist\n',
  });
  await server.stop();
});
