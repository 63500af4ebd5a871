/** ending: a process that stays is told to end while something is wrong: it does, in order and in time. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { END_SIGNALS } from '../../src/domain/endSignals.ts';
import { Server } from '../chaos/server.ts';
import { start } from '../support/cli.ts';
import { command as within } from '../support/command.ts';
import { configFile } from '../support/files.ts';
import type { Finished } from '../support/finished.ts';
import { populate } from '../support/populate.ts';
import { NEVER } from '../support/queue.ts';
import { FAULTS, type PLACES, pidOf, type STAYING } from './faults.ts';

export interface Ending {
  readonly command: (typeof STAYING)[number];
  readonly signal: (typeof END_SIGNALS)[number];
  readonly place: (typeof PLACES)[number];
  readonly fault: string;
  /** For how long it has been so when the signal comes, in ms. */
  readonly ms: number;
}

/** Of which a grace of ten seconds leaves something. */
const WITHIN_MS = 8_000;
/** More than are swept before the signal comes. */
const STALE = 3_000;
const SAVES = ['--save', '3600 1000000'];

/**
 * Fails unless it ends with 0 within eight seconds, says nothing but its log, and leaves no process; resolves to how long that took.
 * @param busyMs how much longer it may take on a machine that does much else
 */
export async function expectEnd({ command, signal, place, fault, ms }: Ending, busyMs: number, finished: Finished) {
  const [target, queue] = await Promise.all([Server.start(SAVES), Server.start(SAVES)]);
  const pids = await Promise.all([target, queue].map(async ({ redis }) => await pidOf(redis)));
  finished(async () => {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGCONT');
      } catch {
        // It is gone already.
      }
    }
    await Promise.all([target.stop(), queue.stop()]);
  });
  const file = await configFile(JSON.stringify({ nice: 5, callBudget: '0.5ms', trash: '1h' }), finished);
  const env = {
    REDIS_URL: target.url,
    QUEUE_REDIS_URL: queue.url,
    STALESWEEP_CONFIG: file,
    STALESWEEP_PORT: '0',
    STALESWEEP_METRICS_PORT: '0',
    LOG_LEVEL: 'info',
    ...NEVER,
  };
  await populate(env, STALE, STALE);
  const running = start([command], env, undefined, finished);
  await running.says(command === 'dashboard' ? 'dashboard started' : 'worker started');
  if (command !== 'dashboard') {
    expect((await within(['enqueue'], env)).code).toBe(0);
    const trashed = async () => (await target.redis.keys('stalesweep:trash:*')).length;
    await expect.poll(trashed, { interval: 20, timeout: 60_000 }).toBeGreaterThan(0);
  }
  for (const server of place === 'both' ? [target, queue] : [place === 'target' ? target : queue])
    await FAULTS[fault]?.(server);
  await pause(ms);
  const from = performance.now();
  const { code, stderr } = await running.kill(signal);
  const tookMs = performance.now() - from;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  for (const line of stderr.trim().split('\n')) expect(line).toMatch(/^\{"level":/);
  expect(stderr).not.toMatch(/"level":60|unhandled|uncaught/i);
  expect(tookMs).toBeLessThan(WITHIN_MS + busyMs);
  return { tookMs, isLate: stderr.includes('not everything could be closed in time') };
}
