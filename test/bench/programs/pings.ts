/** pings: the second client: a PING every millisecond over a connection of its own, whatever became of the one before.
 *
 * A latency counts from the time the ping was due, so one that could not be sent in time is not left out
 * ("coordinated omission"). Timers of the event loop are late by up to a millisecond, as much as what is measured; a
 * thread that sleeps to the microsecond keeps the beat instead.
 */
import { hrtime } from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Redis } from 'ioredis';
import { serve } from './serve.ts';

const EVERY_MS = 1;
/** The first pings run unoptimized code, and are forgotten. */
const WARM_UP = 500;

/** One ping: when it was due, in ms of the clock that all processes of a machine share, and how long its answer took. */
export type Ping = readonly [dueMs: number, latencyMs: number];

/** The pings of one span of time. Redis may have answered some with BUSY: those count as refused, and their latency too. */
export interface Pings {
  readonly pings: readonly Ping[];
  readonly refused: number;
}

function nowMs(): number {
  return Number(hrtime.bigint()) / 1e6;
}

/** In a thread of its own: tells when each ping is due, until told to stop. */
function keepTheBeat(cell: Int32Array): void {
  for (let dueMs = Math.ceil(nowMs()); Atomics.load(cell, 0) === 0; dueMs += EVERY_MS) {
    const leftMs = dueMs - nowMs();
    if (leftMs > 0) Atomics.wait(cell, 0, 0, leftMs);
    parentPort?.postMessage(dueMs);
  }
}

function ping(redis: Redis, thread: Worker) {
  const pings: Ping[] = [];
  const refused: number[] = [];
  let warm: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    warm = resolve;
  });
  thread.on('message', (dueMs: number) => {
    const done = () => {
      pings.push([dueMs, nowMs() - dueMs]);
      if (pings.length === WARM_UP) warm();
    };
    redis.ping().then(done, () => {
      refused.push(dueMs);
      done();
    });
  });
  return { pings, refused, ready };
}

function answer(): void {
  let running: (ReturnType<typeof ping> & { stop: () => Promise<void> }) | undefined;
  serve({
    /** Resolves once the pings are under way. */
    start: async (url: string) => {
      const redis = new Redis(url, { connectionName: 'pings' });
      await redis.ping();
      const cell = new Int32Array(new SharedArrayBuffer(4));
      const thread = new Worker(fileURLToPath(import.meta.url), { workerData: cell });
      const stop = async () => {
        Atomics.store(cell, 0, 1);
        Atomics.notify(cell, 0);
        await new Promise((resolve) => thread.once('exit', resolve));
        await redis.quit();
      };
      running = { ...ping(redis, thread), stop };
      await running.ready;
    },
    /** Resolves to the pings that were due in this span, once all have been answered. */
    stop: async ({ fromMs, toMs }: { fromMs: number; toMs: number }): Promise<Pings> => {
      if (running === undefined) throw new Error('there are no pings to stop');
      await running.stop();
      const within = (dueMs: number) => dueMs >= fromMs && dueMs <= toMs;
      return {
        pings: running.pings.filter(([dueMs]) => within(dueMs)),
        refused: running.refused.filter(within).length,
      };
    },
  });
}

if (isMainThread) answer();
else keepTheBeat(workerData as Int32Array);
