import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { Server } from '../chaos/server.ts';
import { cli, start } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';

// What reaches the terminal is ours: one sentence of a command that fails, lines of the log of one that goes on.

const guarded = useRedis();
beforeEach(async () => void (await guarded.current.redis.config('SET', 'requirepass', 'hush')));
const NEVER = { STALESWEEP_CRON: '0 0 1 1 *' };
const LEFT_OUT = { STALESWEEP_PORT: '0', LOG_LEVEL: 'error' };
const ENDING = ['run', 'enqueue', 'history', 'schedule', 'stop', 'populate --coordinators 2 --stale 1'];
/** Each is a process of its own, which takes a second of CPU: one of them each time. */
const STAYING = ['worker', 'dashboard', 'start'];
const staying = STAYING[Math.floor(Math.random() * STAYING.length)] ?? 'start';

// That it is not there at all is told in test/cli/commands.
const REASONS: Readonly<Record<string, readonly [url: () => string, reason: string]>> = {
  'asks for a password': [() => guarded.current.url, 'it asks for a password'],
  'refuses the password': [
    () => guarded.current.url.replace('//', '//:wrong@'),
    'it refused the user name or password',
  ],
};

test.each([
  ...ENDING.flatMap((line) => Object.keys(REASONS).map((how) => [line, how, command] as const)),
  [staying, 'refuses the password', cli] as const,
])('%s prints one sentence of a Redis that %s', async (line, how, ask) => {
  const [url, reason] = REASONS[how] ?? [() => '', ''];
  const { code, stdout, stderr } = await ask(line.split(' '), { REDIS_URL: url(), ...LEFT_OUT, ...NEVER });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^stalesweep: Redis at redis:\/\/\S+ could not be reached: [^\n]+\n$/);
  expect(stderr).toContain(reason);
  expect(stderr).not.toMatch(/hush|wrong/);
});

test('while the queue and the target are away, what goes on prints lines of its log alone', async () => {
  const [queue, target] = await Promise.all([Server.start(), Server.start()]);
  onTestFinished(async () => {
    await Promise.all([queue.stop(), target.stop()]);
  });
  const env = { REDIS_URL: target.url, QUEUE_REDIS_URL: queue.url, STALESWEEP_PORT: '0', ...NEVER };
  const process = start(['start'], env);
  await process.says('worker started');
  await Promise.all([queue.kill(), target.kill()]);
  await process.says('queue: lost');
  // A command beside it, too.
  expect((await command(['run'], env)).stderr).toMatch(/^stalesweep: [^\n]+connection refused\n$/);
  await Promise.all([queue.comeBack(), target.comeBack()]);
  await process.says('queue: back');
  const { code, stderr } = await process.kill('SIGTERM');
  expect(code).toBe(0);
  for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ msg: expect.any(String) });
});
