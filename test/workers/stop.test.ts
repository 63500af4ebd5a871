import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { start } from '../support/cli.ts';
import { folder } from '../support/files.ts';
import { startRedis } from '../support/redis.ts';

/** Whether a redis-server runs that keeps its data in this folder: its log says the port and how it ended. */
const serverLeftIn = async (cwd: string): Promise<boolean> => {
  const log = join(cwd, '.stalesweep', 'redis.log');
  if (!existsSync(log)) return false;
  const port = /port=(\d+)/.exec(readFileSync(log, 'utf8'))?.[1];
  const redis = new Redis({ port: Number(port), host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    const [, dir] = (await redis.config('GET', 'dir')) as string[];
    return dir === join(cwd, '.stalesweep');
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
};

describe('start ends in order, and its private Redis with it, when the signal comes', () => {
  // Moments of the boot, other ones each time, and no promise about time: wherever each falls, the end must be the same.
  test.each(
    [0, 600, 1_200].map(
      (from, n) => [from + Math.floor(Math.random() * 800), n % 2 === 0 ? 'SIGTERM' : 'SIGINT'] as const,
    ),
  )('after %i ms, %s', async (ms, signal) => {
    const cwd = await folder();
    const process = start(['start'], { STALESWEEP_PORT: '0' }, cwd);
    await pause(ms);
    const { code, stderr } = await process.kill(signal);
    // Before its own code runs, a process can only be ended as any other is.
    if (process.child.signalCode === null) expect({ code, stderr }).toMatchObject({ code: 0 });
    else expect(stderr).toBe('');
    expect(stderr).not.toMatch(/ {4}at |"level":50/);
    expect(await serverLeftIn(cwd)).toBe(false);
    expect(existsSync(join(cwd, '.stalesweep', 'redis.json'))).toBe(false);
  });

  test.each(['using a private Redis', 'sample coordinators', 'dashboard: http'])(
    'right after it said "%s"',
    async (text) => {
      const cwd = await folder();
      const process = start(['start'], { STALESWEEP_PORT: '0' }, cwd);
      await expect.poll(() => process.stdout(), { interval: 5 }).toContain(text);
      expect((await process.kill('SIGTERM')).code).toBe(0);
      expect(await serverLeftIn(cwd)).toBe(false);
    },
  );

  test('right after "worker started", while the first run is at work; the next start finishes it', async () => {
    const cwd = await folder();
    const process = start(['start'], { STALESWEEP_PORT: '0', STALESWEEP_NICE: '20' }, cwd);
    await process.says('worker started');
    expect((await process.kill('SIGTERM')).code).toBe(0);
    expect(await serverLeftIn(cwd)).toBe(false);
    const next = start(['start'], { STALESWEEP_PORT: '0' }, cwd);
    await expect.poll(() => next.stdout()).toContain('Ctrl-C stops everything');
    expect((await next.kill('SIGTERM')).code).toBe(0);
  });
});

test.each(['worker', 'dashboard', 'start'])(
  '%s ends in order when the signal comes with its first line',
  async (command) => {
    const server = await startRedis();
    try {
      const process = start([command], { REDIS_URL: server.url, STALESWEEP_PORT: '0' });
      await process.says('configuration');
      const { code, stderr } = await process.kill('SIGTERM');
      expect(code).toBe(0);
      expect(stderr).toContain('stopping');
      expect(stderr).not.toContain('    at ');
    } finally {
      await server.stop();
    }
  },
);
