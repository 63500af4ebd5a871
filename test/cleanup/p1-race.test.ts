import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, everythingOf, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const COORDINATORS = 4_000;
/** How many of them beat in a round, and how many have to in all. */
const BEATING = 2_500;
const BEATS = 1_500;
/** How many beat at once: beside a transaction, which takes two round trips, fewer, or all have beaten before a chunk is due. */
const AT_ONCE = { script: 20, transaction: 1 };

/** Beats for a coordinator that still has its heartbeat, and tells how many of its keys were there at that moment. */
const BEAT = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('SET', KEYS[1], ARGV[1])
  return redis.call('EXISTS', unpack(KEYS))`;

function idOf(n: number): string {
  return `c${n}`;
}

async function populate(): Promise<void> {
  const { redis } = server.current;
  const silent = beat((await nowOf(redis)) - 3_600_000);
  const world: Record<string, string> = {};
  for (let n = 0; n < COORDINATORS; n++) {
    for (const key of everythingOf(idOf(n))) world[key] = key === heartbeatOf(idOf(n)) ? silent : '1';
  }
  await writeAll(redis, world);
}

/** Beats for one coordinator after the other, as fast as Redis takes it, until told to stop; tells who was whole. */
async function keepBeating(atOnce: number, stopped: () => boolean) {
  const { redis } = server.current;
  const beaten = new Map<string, number>();
  const fresh = beat(await nowOf(redis));
  // A stride without a common divisor: each coordinator at most once, near and far from where the run is.
  for (let n = 0; !stopped() && n < BEATING; n += atOnce) {
    const ids = Array.from({ length: atOnce }, (_, i) => idOf(((n + i) * 1_367) % COORDINATORS));
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.eval(BEAT, 7, ...everythingOf(id), fresh);
    const replies = await pipeline.exec();
    for (const [i, id] of ids.entries()) {
      const keys = Number(replies?.[i]?.[1]);
      if (keys > 0) beaten.set(id, keys);
    }
  }
  return beaten;
}

async function keysLeft(ids: readonly string[]): Promise<number[]> {
  const pipeline = server.current.redis.pipeline();
  for (const id of ids) pipeline.exists(...everythingOf(id));
  return ((await pipeline.exec()) ?? []).map(([, count]) => Number(count));
}

test.each(STRATEGIES)('of many that beat in runs by %s not one loses a key (P1)', async (strategy, rules) => {
  const url = await urlFor(server.current, rules);
  const seen = { beats: 0, revivals: 0, touched: 0 };
  const enough = () => seen.beats >= BEATS && seen.revivals > 0 && (seen.touched > 0 || strategy === 'script');
  for (let round = 0; !enough(); round++) {
    expect(round, `the runs are too quick to be met: ${JSON.stringify(seen)}`).toBeLessThan(20);
    await server.current.redis.flushall();
    await populate();
    let over = false;
    let beating: ReturnType<typeof keepBeating> | undefined;
    const report = await clean(url, {
      settings: { callBudget: '1ms', nice: round % 2 },
      observer: {
        phase: (phase) => {
          if (phase === (round % 3 === 0 ? 'mark' : 'sweep')) beating ??= keepBeating(AT_ONCE[strategy], () => over);
        },
      },
      after: (name, reply) => {
        if (name === 'exec' && reply === null) seen.touched++;
      },
    });
    over = true;
    const beaten = (await beating) ?? new Map<string, number>();
    const { checked, active, stale, unreadable, swept, revived } = report.coordinators;
    seen.beats += beaten.size;
    seen.revivals += revived;

    expect(report.strategy).toBe(strategy);
    expect([...new Set(beaten.values())], 'a coordinator whose heartbeat stood had all its keys').toEqual([7]);
    expect([...new Set(await keysLeft([...beaten.keys()]))], 'and has them all').toEqual([7]);
    expect(await server.current.redis.dbsize()).toBe(beaten.size * 7);
    expect([checked, stale]).toEqual([active + stale + unreadable, swept + revived]);
    expect(swept).toBe(COORDINATORS - beaten.size);
  }
});
