/** `run` on a terminal asks before it removes anything. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { populate } from '../support/populate.ts';
import { command } from '../support/command.ts';
import { folder } from '../support/files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { foreignIn } from '../support/world.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
let server: TestRedis;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  await server.redis.flushall();
  await populate({ REDIS_URL: server.url }, 100, 90);
});

/** Runs it in a terminal of 80 columns, and types an answer once it is asked; what stood on the screen, and the exit code. */
async function onTerminal(args: string, answer: string | null) {
  const command = `stty cols 80; ${process.execPath} ${MAIN} ${args}`;
  const shell = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    env: { ...process.env, REDIS_URL: server.url, TERM: 'xterm' },
  });
  let screen = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    const asked = screen.includes('[y/N]');
    screen += text;
    if (!asked && screen.includes('[y/N]') && answer !== null) shell.stdin.write(answer);
  });
  const [code] = (await once(shell, 'close')) as [number];
  return { screen, code };
}

test.each([
  ['no', 'n\r'],
  ['nothing', '\r'],
  ['Ctrl-C', '\x03'],
  ['Ctrl-D', '\x04'],
])('asks once, with the numbers, and obeys whoever answers %s: nobody goes', async (_, answer) => {
  const ended = await onTerminal('run', answer);
  expect(ended.screen).toContain('90 coordinators are stale (10 are active, 0 unreadable)');
  expect(ended.screen.split('[y/N]')).toHaveLength(2);
  expect(ended.code).toBe(1);
  expect(await foreignIn(server.redis)).toBe(600);
});

test('asks once, with the numbers, and obeys whoever answers yes: lists who goes, then reports', async () => {
  const { screen, code } = await onTerminal('run --list', 'y\r');
  expect(screen).toContain('90 coordinators are stale (10 are active, 0 unreadable)');
  expect(screen.split('[y/N]')).toHaveLength(2);
  const places = [', about ', '[y/N]', ', silent for ', '90 swept'].map((text) => screen.indexOf(text));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  expect(screen.split(', silent for ')).toHaveLength(91);
  expect(code).toBe(0);
  expect(await foreignIn(server.redis)).toBe(61);
});

test.each(['run --yes --json', 'run --dry-run'])('`%s` does not ask', async (args) => {
  const { screen, code } = await onTerminal(args, null);
  expect(screen).not.toContain('[y/N]');
  expect(code).toBe(0);
  expect(await foreignIn(server.redis)).toBe(args.includes('dry') ? 600 : 61);
});

test.each([
  ['run', '[y/N]'],
  ['run --yes --nice 30', 'of 90 stale'],
  ['worker', 'worker started'],
])('a terminal that is closed ends %s in order, and nothing aborts', async (words, shown) => {
  const ended = join(await folder(), 'ended');
  // As a shell does that is told so itself.
  const started = `exec 3<&0; ${process.execPath} ${MAIN} ${words} <&3 & child=$!`;
  const line = `${started}; trap "kill -HUP $child" HUP; wait $child; wait $child; echo $? > ${ended}`;
  const env = { ...process.env, REDIS_URL: server.url, TERM: 'xterm' };
  const terminal = spawn('script', ['--quiet', '--flush', '--command', line, '/dev/null'], { env });
  let screen = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
  await expect.poll(() => screen, { timeout: 30_000, interval: 5 }).toContain(shown);
  terminal.kill('SIGKILL');
  await expect.poll(() => existsSync(ended) && readFileSync(ended, 'utf8'), { timeout: 10_000 }).toBe('129\n');
  if (words.startsWith('run')) {
    if (words === 'run') expect(await foreignIn(server.redis)).toBe(600);
    const { stdout } = await command(['history', '--json'], { REDIS_URL: server.url });
    const reason = expect.stringMatching(/^(nobody said yes|it was interrupted by SIGHUP)$/);
    expect(JSON.parse(stdout)).toMatchObject([{ report: { reason } }]);
  } else {
    const members = Object.values(await server.redis.hgetall('{stalesweep}:members'));
    expect(members.map((one) => (JSON.parse(one) as { left: boolean }).left)).toEqual([true]);
  }
});
