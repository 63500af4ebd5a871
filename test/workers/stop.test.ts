import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../docs/kept.ts';
import { environment, start } from '../support/cli.ts';
import { folder } from '../support/files.ts';
import { startRedis } from '../support/redis.ts';

/** Where the processes of this machine are at work, as far as we may know. */
function workplaces(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readlinkSync(`/proc/${pid}/cwd`)];
      } catch {
        return [];
      }
    });
}

/** Where a demo that was started in this folder has its own. */
function ownOf(cwd: string): string {
  return join(cwd, '.stalesweep');
}

/** The servers that a demo left: each is at work in its folder. */
function serversIn(cwd: string): string[] {
  return workplaces().filter((place) => place.startsWith(ownOf(cwd)));
}

/** What a demo left in the folder where it was started: files, or a server. */
function leftIn(cwd: string): string[] {
  return [...(existsSync(ownOf(cwd)) ? [ownOf(cwd)] : []), ...serversIn(cwd)];
}

describe('demo ends in order, and leaves nothing behind, when the signal comes', () => {
  // A moment of the boot, another one each time, and no promise about time: wherever it falls, the end must be the same.
  test.each([[Math.floor(Math.random() * 2_000), Math.random() < 0.5 ? 'SIGTERM' : 'SIGINT'] as const])(
    'after %i ms, %s',
    async (ms, signal) => {
      const cwd = await folder();
      const process = start(['demo'], { STALESWEEP_PORT: '0' }, cwd);
      await pause(ms);
      const { code, stderr } = await process.kill(signal);
      // Before its own code runs, a process can only be ended as any other is.
      if (process.child.signalCode === null) expect({ code, stderr }).toMatchObject({ code: 0 });
      else expect(stderr).toBe('');
      expect(stderr).not.toMatch(/ {4}at |"level":50/);
      expect(leftIn(cwd)).toEqual([]);
    },
  );

  // Before its server runs, while it runs, while the first run is at work, and after its last step: one of them each time.
  const said = ['stalesweep demo:', 'look at it', 'worker started', 'others live'][Math.floor(Math.random() * 4)] ?? '';
  test.each([said])('right after it said "%s"', async (text) => {
    const cwd = await folder();
    const process = start(['demo'], { STALESWEEP_PORT: '0', STALESWEEP_NICE: '20', LOG_LEVEL: 'info' }, cwd);
    const heard = () => process.stdout() + process.stderr();
    await expect.poll(heard, { timeout: 100_000, interval: 5 }).toContain(text);
    if (text === 'look at it') expect(leftIn(cwd).length).toBeGreaterThan(1);
    expect((await process.kill('SIGTERM')).code).toBe(0);
    expect(leftIn(cwd)).toEqual([]);
  });

  test('when its terminal is closed, of which both the system and the shell tell', async () => {
    const cwd = await folder();
    const process = start(['demo'], { STALESWEEP_PORT: '0', LOG_LEVEL: 'info' }, cwd);
    await expect.poll(() => process.stdout(), { timeout: 100_000, interval: 5 }).toContain('look at it');
    process.child.kill('SIGHUP');
    await process.says('stopping');
    expect((await process.kill('SIGHUP')).code).toBe(0);
    expect(leftIn(cwd)).toEqual([]);
  });

  test('its Redis ends with it when it is killed, and the next one starts there', async () => {
    const cwd = await folder();
    const first = start(['demo'], { STALESWEEP_PORT: '0' }, cwd);
    await expect.poll(() => first.stdout(), { timeout: 100_000, interval: 5 }).toContain('look at it');
    await first.kill('SIGKILL');
    await expect.poll(() => serversIn(cwd)).toEqual([]);
    const next = start(['demo'], { STALESWEEP_PORT: '0' }, cwd);
    await expect.poll(() => next.stdout(), { timeout: 100_000 }).toContain('look at it');
    expect((await next.kill('SIGTERM')).code).toBe(0);
    expect(leftIn(cwd)).toEqual([]);
  }, 240_000);

  const toNpm = (['SIGTERM', 'SIGHUP', 'SIGKILL'] as const)[Math.floor(Math.random() * 3)] ?? 'SIGKILL';
  test.each([toNpm])('when npm, which started it, is ended by %s', async (signal) => {
    const cwd = await folder();
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ scripts: { start: scripts.start } }));
    symlinkSync(join(ROOT, 'workers'), join(cwd, 'workers'));
    const npm = spawn('npm', ['start'], { cwd, env: environment({ STALESWEEP_PORT: '0' }) });
    let stdout = '';
    npm.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    // Its pipe closes once nobody is left who could write to it.
    const ended = once(npm, 'close');
    await expect.poll(() => stdout, { timeout: 100_000, interval: 5 }).toContain('look at it');
    npm.kill(signal);
    await ended;
    await expect.poll(() => leftIn(cwd)).toEqual([]);
  });

  test('when a second signal ends it at once', async () => {
    const cwd = await folder();
    const process = start(['demo'], { STALESWEEP_PORT: '0', LOG_LEVEL: 'info' }, cwd);
    await expect.poll(() => process.stdout(), { timeout: 100_000, interval: 5 }).toContain('look at it');
    process.child.kill('SIGINT');
    await process.says('stopping');
    await process.kill('SIGINT');
    await expect.poll(() => leftIn(cwd)).toEqual([]);
  });
});

test.each(['worker', 'dashboard', 'start'])(
  '%s ends in order when the signal comes with its first line',
  async (command) => {
    // BullMQ would complain of such a queue in its own words.
    const server = await startRedis(['--maxmemory-policy', 'allkeys-lru']);
    try {
      const process = start([command], { REDIS_URL: server.url, STALESWEEP_PORT: '0' });
      await process.says('configuration');
      const { code, stderr } = await process.kill('SIGTERM');
      expect(code).toBe(0);
      expect(stderr).toContain('stopping');
      // Nobody but our log speaks.
      for (const line of stderr.trim().split('\n')) expect(line).toMatch(/^\{"level":/);
    } finally {
      await server.stop();
    }
  },
);
