/** jumps: a target whose clock is put forward and back, and coordinators that beat by it (P5, P10). */
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Report } from '../../src/domain/report.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { eventually } from '../chaos/eventually.ts';
import { environment } from '../support/cli.ts';
import type { Finished } from '../support/finished.ts';
import { NEVER } from '../support/queue.ts';
import { startRedis } from '../support/redis.ts';
import { bulk } from '../support/rented/resp.ts';
import { RentedRedis, type Rule } from '../support/rented/proxy.ts';
import { work } from '../support/worker.ts';
import { beat, belongingsOf, heartbeatOf, writeAll } from '../support/world.ts';

const DAY_SECONDS = 86_400;

/** INFO of a server that has been up for so long. */
function upSince(seconds: number): ReturnType<Rule> {
  return {
    change: (reply) => {
      const text = reply.slice(reply.indexOf('\r\n') + 2, -2);
      return bulk(text.replace(/(?<=^uptime_in_seconds:)\d+/m, String(seconds)));
    },
  };
}

/** A clock that can be put, by what TIME says. */
class Clock {
  /** Ahead of the server's own. */
  seconds = 0;
  /** What is to happen before the next heartbeats are read. */
  beforeReading: (() => void) | null = null;

  readonly rule: Rule = ([name]) => {
    if (name === 'MGET') {
      this.beforeReading?.();
      this.beforeReading = null;
    }
    const ahead = this.seconds;
    // Since when a server is up, it tells by the same clock.
    if (name === 'INFO') return upSince(DAY_SECONDS + ahead);
    if (name !== 'TIME') return 'pass';
    return { change: (reply) => reply.replace(/(?<=^\*2\r\n\$\d+\r\n)\d+/, (at) => String(Number(at) + ahead)) };
  };

  async now(redis: Redis): Promise<number> {
    return (Number((await redis.time())[0]) + this.seconds) * 1000;
  }
}

export interface Jumps {
  readonly coordinators: number;
  /** By how many seconds the clock is put, one after the other; back where that is below zero. */
  readonly seconds: readonly number[];
  /** Whether it is put while a run reads heartbeats, and not between two. */
  readonly within: boolean;
  /** Whether heartbeats expire, which they all do at once where the clock is put forward. */
  readonly expire: boolean;
}

const STALE_AFTER_SECONDS = 60;
const TTL_SECONDS = 30;

/** Lets a worker look at the target and sweep it through every jump. Fails when anybody who beats loses anything. */
export async function expectWholeThrough(jumps: Jumps, finished: Finished): Promise<void> {
  const { coordinators, seconds, within, expire } = jumps;
  const server = await startRedis();
  const clock = new Clock();
  const door = await RentedRedis.open(server.port, clock.rule);
  finished(async () => {
    await door.close();
    await server.stop();
  });
  const { redis } = server;
  const env = {
    REDIS_URL: door.url,
    QUEUE_REDIS_URL: server.url,
    STALESWEEP_STALE_AFTER: `${STALE_AFTER_SECONDS}s`,
    STALESWEEP_SUDDEN_SILENCE: 'false',
    ...NEVER,
  };
  const config = loadConfig({}, environment(env));
  const queues = await openQueues(config.queue, { onError: () => {}, onReady: () => {} });
  finished(async () => await queues.close());
  const target = config.targets.get('default');
  if (target === undefined) throw new Error('there is always a target "default"');
  const ledger = new Ledger(redis, '{stalesweep}', { sizeBytes: 64e6, ageMs: 9e9 });
  const ids = Array.from({ length: coordinators }, (_, i) => `c${i}`);
  const heartbeats = ids.map((id) => heartbeatOf(id));
  const own = ids.flatMap((id) => belongingsOf(id));
  const beatAll = async () => {
    const now = await clock.now(redis);
    await writeAll(redis, Object.fromEntries(ids.map((id) => [heartbeatOf(id), beat(now, id)])));
    if (expire) await Promise.all(heartbeats.map(async (name) => await redis.expire(name, TTL_SECONDS)));
  };
  const run = async (): Promise<Report> => {
    const asked = await enqueue(queues.runs, config.targets, { target: 'default' });
    const report = async () => (await queues.runs.getJob(asked.run))?.returnvalue;
    await eventually(async () => (await report())?.outcome, 'completed');
    return (await report()) as Report;
  };
  const seen = async () => {
    const since = await clock.now(redis);
    await eventually(async () => Number(await ledger.watchedAt(target)) > since, true);
  };
  /** What was noted of times that the clock has not reached would keep whoever dies in them. */
  const seenNothingAhead = async () => {
    const ahead = async () => {
      const now = await clock.now(redis);
      return (await ledger.outagesSince(target, 0)).filter(({ toMs }) => toMs > now + 1_000);
    };
    await eventually(ahead, []);
  };
  await writeAll(redis, Object.fromEntries(own.map((name) => [name, 'x'])));
  await beatAll();
  const worker = await work(env, finished);
  // Who died is swept; and where heartbeats expire, all others are known from now on.
  await writeAll(redis, { [heartbeatOf('dead')]: beat((await clock.now(redis)) - 100_000, 'dead') });
  expect((await run()).coordinators).toMatchObject({ swept: 1, active: coordinators });
  for (const by of seconds) {
    await beatAll();
    await seen();
    const jump = () => {
      clock.seconds += by;
    };
    if (within) clock.beforeReading = jump;
    else jump();
    if (expire && by > 0 && !within) await redis.unlink(...heartbeats);
    // Also once that clock has gone by the last look again, no run goes by what was left before.
    if (by < 0 && !within) await eventually(async () => await ledger.horizonsOf(target).standing(), null);
    const { coordinators: counts } = await run();
    expect({ jumps, by, swept: counts.swept }).toEqual({ jumps, by, swept: 0 });
    if (!within) expect(await redis.exists(...own)).toBe(own.length);
    await seenNothingAhead();
  }
  await beatAll();
  expect((await run()).coordinators).toMatchObject({ swept: 0, active: coordinators, unreadable: 0 });
  await writeAll(redis, { [heartbeatOf('late')]: beat((await clock.now(redis)) - 3_600_000 * 24, 'late') });
  expect((await run()).coordinators).toMatchObject({ swept: 1, active: coordinators });
  await worker.close();
}
