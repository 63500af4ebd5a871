import { expect, test } from 'vitest';
import { readTrashName } from '../../src/redis/trash/names.ts';
import { restore } from '../../src/restore/restore.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, belongingsOf, everythingOf, heartbeatOf, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const settings = { trash: '1h', callBudget: '0.3ms' };
const COORDINATORS = 800;
const MORE = ['+renamenx', '+pexpire', '+persist', '+set', '+pttl'];

test.each(STRATEGIES)(
  'who beats again while others go to the trash by %s keeps everything (P1)',
  async (strategy, rules) => {
    const { redis } = server.current;
    const url = await urlFor(server.current, rules === null ? null : [...rules, ...MORE]);
    const nowMs = await nowOf(redis);
    const silent = beat(nowMs - 3_600_000);
    const ids = Array.from({ length: COORDINATORS }, (_, c) => `c${c}`);
    const keys = ids.flatMap((id) =>
      everythingOf(id).map((key) => [key, key === heartbeatOf(id) ? silent : '1'] as const),
    );
    await writeAll(redis, Object.fromEntries(keys));
    const beaten = new Set<string>();
    let calls = 0;
    const beatAgain = async (name: string) => {
      if (name !== 'evalsha' && name !== 'watch' && name !== 'mget' && name !== 'unlink') return;
      // Far from where the run is, and where it is now.
      for (let i = 0; i < 3; i++) {
        const id = `c${(++calls * 367) % COORDINATORS}`;
        if ((await redis.set(heartbeatOf(id), beat(nowMs), 'XX')) === 'OK') beaten.add(id);
      }
    };
    const report = await clean(url, { settings, before: beatAgain });
    expect(report.strategy).toBe(strategy);
    expect(beaten.size).toBeGreaterThan(0);
    for (const id of beaten) expect(await redis.exists(...everythingOf(id)), id).toBe(7);
    const names = (await redis.keysBuffer('stalesweep:trash:*')).map((key) => readTrashName(key)?.name.toString());
    const kept = new Set([...beaten].flatMap((id) => everythingOf(id)));
    expect(names.filter((name) => kept.has(name ?? ''))).toEqual([]);
    expect(names).toHaveLength((COORDINATORS - beaten.size) * 7);

    // Those that went come back to life, and each beats before its things are back.
    const back = ids.filter((id) => !beaten.has(id)).slice(0, 5);
    for (const id of back) {
      await redis.set(heartbeatOf(id), beat(nowMs));
      await restore(targetOf(url, settings), { coordinator: Buffer.from(id) }, { heartbeats: true });
      expect(await keysIn(redis)).toEqual(expect.arrayContaining(belongingsOf(id)));
      expect(await redis.get(heartbeatOf(id))).toBe(beat(nowMs));
    }
  },
);
