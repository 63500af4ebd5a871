import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, everythingOf, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const COORDINATORS = 6_000;
const BEATS = 3_000;

/** Beats for a coordinator that still has its heartbeat, and tells how many of its keys were there at that moment. */
const BEAT = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('SET', KEYS[1], ARGV[1])
  return redis.call('EXISTS', unpack(KEYS))`;

const idOf = (n: number): string => `c${n}`;

const populate = async (): Promise<void> => {
  const { redis } = server.current;
  const silent = beat((await nowOf(redis)) - 3_600_000);
  const world: Record<string, string> = {};
  for (let n = 0; n < COORDINATORS; n++) {
    for (const key of everythingOf(idOf(n))) world[key] = key === heartbeatOf(idOf(n)) ? silent : '1';
  }
  await writeAll(redis, world);
};

/** Beats for one coordinator after the other, as fast as Redis takes it, until told to stop; tells who was whole. */
const keepBeating = async (stopped: () => boolean) => {
  const { redis } = server.current;
  const beaten = new Map<string, number>();
  const fresh = beat(await nowOf(redis));
  // A stride without a common divisor: every coordinator once, near and far from where the run is.
  for (let n = 0; !stopped() && n < COORDINATORS; n += 20) {
    const ids = Array.from({ length: 20 }, (_, i) => idOf(((n + i) * 1_367) % COORDINATORS));
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.eval(BEAT, 7, ...everythingOf(id), fresh);
    const replies = await pipeline.exec();
    for (const [i, id] of ids.entries()) {
      const keys = Number(replies?.[i]?.[1]);
      if (keys > 0) beaten.set(id, keys);
    }
  }
  return beaten;
};

const keysLeft = async (ids: readonly string[]): Promise<number[]> => {
  const pipeline = server.current.redis.pipeline();
  for (const id of ids) pipeline.exists(...everythingOf(id));
  return ((await pipeline.exec()) ?? []).map(([, count]) => Number(count));
};

test('of thousands that beat while a run goes on, not one loses a key (P1)', async () => {
  let beats = 0;
  let revivals = 0;
  for (let round = 0; beats < BEATS || revivals === 0; round++) {
    expect(round, 'the runs are too quick to be met').toBeLessThan(20);
    await server.current.redis.flushall();
    await populate();
    let over = false;
    let beating: ReturnType<typeof keepBeating> | undefined;
    const report = await clean(server.current.url, {
      settings: { callBudget: '0.2ms', nice: round % 2 },
      observer: {
        phase: (phase) => {
          if (phase === (round % 3 === 0 ? 'mark' : 'sweep')) beating ??= keepBeating(() => over);
        },
      },
    });
    over = true;
    const beaten = (await beating) ?? new Map<string, number>();
    beats += beaten.size;
    revivals += report.coordinators.revived;

    expect([...new Set(beaten.values())], 'a coordinator whose heartbeat stood had all its keys').toEqual([7]);
    expect([...new Set(await keysLeft([...beaten.keys()]))], 'and has them all').toEqual([7]);
    expect(await server.current.redis.dbsize()).toBe(beaten.size * 7);
    const { checked, active, stale, unreadable, swept, revived } = report.coordinators;
    expect([checked, stale]).toEqual([active + stale + unreadable, swept + revived]);
    expect(swept).toBe(COORDINATORS - beaten.size);
  }
}, 60_000);
