/** What commands say while a target stands still, and that they wait for nothing once they have their answer. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Links } from '../../src/dashboard/readiness.ts';
import { targetOf } from '../support/cleanup.ts';
import { environment } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { startRedis } from '../support/redis.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

async function frozenRedis(): Promise<string> {
  const target = await startRedis();
  const pid = Number(/^process_id:(\d+)/m.exec(await target.redis.info('server'))?.[1]);
  process.kill(pid, 'SIGSTOP');
  onTestFinished(async () => {
    process.kill(pid, 'SIGCONT');
    await target.stop();
  });
  return target.url;
}

/** What stands on a terminal once a command has ended there. */
async function onTerminal(line: string, env: Record<string, string>): Promise<string> {
  const args = ['--quiet', '--flush', '--return', '--command', `${process.execPath} ${MAIN} ${line}`, '/dev/null'];
  return await text(spawn('script', args, { env: { ...environment(env), TERM: 'xterm' } }).stdout);
}

test('a command says soon that a target does not answer, to people alone, and then what is known of it', async () => {
  const queue = await startRedis();
  onTestFinished(async () => await queue.stop());
  const url = await frozenRedis();
  const env = { REDIS_URL: url, QUEUE_REDIS_URL: queue.url };
  // One that would stay, and is refused, leaves nothing behind that says otherwise.
  expect((await command(['worker'], { ...env, STALESWEEP_NICE: 'x' })).code).toBe(2);
  const [screen, piped] = await Promise.all([onTerminal('explain c1', env), command(['explain', 'c1'], env)]);
  expect(screen.replace(/\s+/g, ' ')).toMatch(
    new RegExp(
      `^stalesweep: Redis at ${url} does not answer yet; waiting for it .*stalesweep: Redis at .* could not be reached`,
    ),
  );
  expect(piped.stderr).toMatch(/^stalesweep: Redis at \S+ could not be reached: no answer in time[^\n]*\n$/);
  const { code, stdout, stderr } = await command(['status', '--json'], env);
  const { troubles } = JSON.parse(stdout) as { readonly troubles: readonly { readonly word: string }[] };
  expect([code, stderr]).toEqual([0, '']);
  expect(troubles.map(({ word }) => word)).toContain('Out of reach');
});

function sockets(): number {
  return process.getActiveResourcesInfo().filter((one) => one.startsWith('TCP')).length;
}

test('whoever has asked ends attempts to connect that nobody wants any more, and leaves no connection half closed', async () => {
  const target = targetOf(await frozenRedis());
  const before = sockets();
  const links = new Links();
  await expect(links.ask(target)).rejects.toThrow('no answer within 2 seconds');
  const attempt = links.to(target);
  expect(sockets()).toBeGreaterThan(before);
  await links.close();
  // Without, it fails as the attempt does: it could not be reached.
  await expect(attempt).rejects.toThrow('nobody asks any more');
  // A server that stands still does not answer the end of a connection, for which two seconds would be waited.
  await expect.poll(sockets, { timeout: 1_000 }).toBe(before);
});
