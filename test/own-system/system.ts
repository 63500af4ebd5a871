/** system: what the tests of the system that stalesweep was made for write into Redis, spelled as they spell it. */
import type { Redis } from 'ioredis';
import { nowOf } from '../support/world.ts';

/** How many there are, and how many of them are stale. */
export interface Amounts {
  readonly all: number;
  readonly stale: number;
}

export const MANY: Amounts = { all: 10_000, stale: 9_900 };
/** More than a page and a call hold, where the way is what is shown. */
export const FEWER: Amounts = { all: 2_000, stale: 1_980 };
const SILENT_MS = 700_000;
const DAY_SECONDS = 86_400;
/** As many keys as are written at once. */
const BATCH = 3_000;
/**
 * KEYS  what to write
 * ARGV  for each its value, and for how many seconds it lives, or 0: for good
 */
const WRITE = `
for i, key in ipairs(KEYS) do
  local value, seconds = ARGV[2 * i - 1], ARGV[2 * i]
  if seconds == '0' then redis.call('SET', key, value) else redis.call('SETEX', key, seconds, value) end
end`;

/** A key, its value, and whether it lives for a day only. */
interface Written {
  readonly key: string;
  readonly value: string;
  readonly expires: boolean;
}

interface DataSet {
  /** What it writes of one coordinator. */
  readonly of: (n: number, isStale: boolean, at: number) => readonly Written[];
  /** How many keys of each family one coordinator has. */
  readonly each: Readonly<Record<string, number>>;
}

const NOTHING = { heartbeat: 0, signal: 0, ack: 0, idempotency: 0, activity: 0, state: 0 };

/** Its performance test: ids of two segments, four keys each, all with a time to live. */
const perf: DataSet = {
  of: (n, isStale, at) => {
    const id = `${isStale ? 'test' : 'active'}-swarm-${n}:coordinator-${n}`;
    const beat = JSON.stringify({ coordinatorId: id, timestamp: at, status: 'waiting' });
    return [
      { key: `blocking:heartbeat:${id}`, value: beat, expires: true },
      { key: `blocking:signal:${id}`, value: '{"signal":"test"}', expires: true },
      { key: `blocking:ack:${id}:agent-1`, value: '{"ack":true}', expires: true },
      { key: `coordinator:activity:${id}`, value: '{"active":true}', expires: true },
    ];
  },
  each: { ...NOTHING, heartbeat: 1, signal: 1, ack: 1, activity: 1 },
};

/** Its other one: six keys each, for good, one of them an idempotency key that ends in `:init`. */
const init: DataSet = {
  of: (n, isStale, at) => {
    const id = `test-coordinator-${isStale ? 'stale' : 'active'}-${n}`;
    const values = {
      [`blocking:heartbeat:${id}`]: JSON.stringify({ coordinatorId: id, timestamp: at }),
      [`blocking:ack:${id}:agent-1`]: '1',
      [`blocking:ack:${id}:agent-2`]: '1',
      [`blocking:signal:${id}`]: 'CONTINUE',
      [`blocking:idempotency:${id}:init`]: '1',
      [`coordinator:activity:${id}`]: String(at),
    };
    return Object.entries(values).map(([key, value]) => ({ key, value, expires: false }));
  },
  each: { ...NOTHING, heartbeat: 1, signal: 1, ack: 2, idempotency: 1, activity: 1 },
};

const DATA_SETS = { perf, init };
export type DataSetName = keyof typeof DATA_SETS;

/** Writes one of them, of so many coordinators; the keys of those who beat, which must be left, sorted, and what must go, by family. */
export async function writeDataSet(redis: Redis, name: DataSetName, { all: count, stale }: Amounts) {
  const { of, each } = DATA_SETS[name];
  const now = await nowOf(redis);
  const coordinators = Array.from({ length: count }, (_, n) => of(n, n < stale, n < stale ? now - SILENT_MS : now));
  const all = coordinators.flat();
  for (let from = 0; from < all.length; from += BATCH) {
    const batch = all.slice(from, from + BATCH);
    const keys = batch.map(({ key }) => key);
    const values = batch.map(({ value, expires }) => [value, expires ? DAY_SECONDS : 0]);
    await redis.eval(WRITE, keys.length, ...keys, ...values.flat());
  }
  const left = coordinators.slice(stale).flatMap((keys) => keys.map(({ key }) => key));
  return {
    left: left.sort(),
    gone: Object.fromEntries(Object.entries(each).map(([family, count]) => [family, count * stale])),
  };
}
