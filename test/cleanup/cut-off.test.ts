import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { ConnectionLost } from '../../src/redis/call/lost.ts';
import { Server } from '../chaos/server.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { openSlowWay } from '../support/slowWay.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, everythingOf, keysIn, nowOf, STALE, settle, writeAll } from '../support/world.ts';

const server = useRedis();
function redis() {
  return server.current.redis;
}
const KEYS_EACH = everythingOf('c').length;
/** Enough for a dozen of the smallest chunks. */
const STALE_COUNT = 800;
const MAY_BE_MISSING = /may be missing in the counts/;

/** So many coordinators, the first of them stale; resolves to the keys of those who live. */
async function found(stale: number, active: number): Promise<string[]> {
  const now = await nowOf(redis());
  const values: Record<string, string> = {};
  const kept: string[] = [];
  for (let i = 0; i < stale + active; i++) {
    const id = `c${i}-${'x'.repeat(i % 30)}`;
    const swarm = `s${i % 40}`;
    const keys = everythingOf(id, swarm);
    for (const key of keys) values[key] = key === keys[0] ? beat(now - (i < stale ? STALE : 0) * 1000, id) : '1';
    if (i >= stale) kept.push(...keys);
  }
  await writeAll(redis(), values);
  return kept.sort();
}

/** Counts are right; where they are not, that was said. */
function expectRight(report: Report, stale: number, warnings: readonly string[]): void {
  expect(report.coordinators).toMatchObject({ stale, swept: stale, revived: 0, lapsed: 0 });
  const said = warnings.some((warning) => MAY_BE_MISSING.test(warning));
  if (said) expect(report.keys.deleted).toBeLessThanOrEqual(stale * KEYS_EACH);
  else expect(report.keys.deleted).toBe(stale * KEYS_EACH);
  expect(report.keys.byFamily.heartbeat).toBe(stale);
}

describe.each(STRATEGIES)('on a way that cuts connections, by %s', (_strategy, rules) => {
  const addressOf = async () => await urlFor(server.current, rules);

  test.each([
    ['few', 40_000, 90_000, 250],
    ['some', 100_000, 400_000, 700],
    ['many', 500_000, 1_000_000, 1_500],
  ])(
    'after %s bytes, a run sweeps everything stale and nothing else, and counts right (P1, P3)',
    async (_, least, most, stale) => {
      const kept = await found(stale, 50);
      const limit = [randomInt(least, most), most] as const;
      const way = await openSlowWay(server.current.port, 0, 0, limit);
      const warnings: string[] = [];
      try {
        const url = new URL(await addressOf());
        url.port = new URL(way.url).port;
        const report = await clean(url.href, { observer: { warn: (sentence) => warnings.push(sentence) } });
        expectRight(report, stale, warnings);
        expect(way.cuts, `cut after ${limit}`).toBeGreaterThan(0);
      } finally {
        await way.close();
      }
      expect(await keysIn(redis())).toEqual(kept);
    },
    120_000,
  );

  test('clients are killed at any moment: everything stale goes, and is counted (P3)', async () => {
    const kept = await found(STALE_COUNT, 20);
    const warnings: string[] = [];
    let calls = 0;
    let next = randomInt(5, 30);
    const report = await clean(await addressOf(), {
      settings: { callBudget: '0.2ms' },
      observer: { warn: (sentence) => warnings.push(sentence) },
      before: async () => {
        if (++calls < next) return;
        next = calls + randomInt(20, 120);
        await redis().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      },
    });
    expectRight(report, STALE_COUNT, warnings);
    expect(await keysIn(redis())).toEqual(kept);
  }, 60_000);

  test('the answers to removals are lost: who went is counted, and of which keys nobody can know is said (P3)', async () => {
    const kept = await found(STALE_COUNT, 20);
    const warnings: string[] = [];
    const removing = rules === null ? 'evalsha' : 'exec';
    let first = 0;
    let answers = 0;
    const report = await clean(await addressOf(), {
      // One call at a time: so it is known which were under way.
      settings: { callBudget: '0.2ms', nice: 0.01 },
      observer: { warn: (sentence) => warnings.push(sentence) },
      after: (name, reply) => {
        // Permissions were asked for by the same commands, without keys.
        if (name !== removing || !Array.isArray(reply) || Number(reply.flat().at(-1)) === 0) return;
        if (answers++ % 3 > 0) return;
        if (answers === 1)
          first = reply.slice(rules === null ? 1 : 0, -1).reduce<number>((sum, n) => sum + Number(n), 0);
        throw new ConnectionLost(new Error('the answer was lost'));
      },
    });
    expect(answers).toBeGreaterThan(6);
    expect(report.coordinators).toMatchObject({ stale: STALE_COUNT, swept: STALE_COUNT, revived: 0, lapsed: 0 });
    expect(first).toBeGreaterThan(0);
    expect(warnings.filter((warning) => MAY_BE_MISSING.test(warning))).toHaveLength(1);
    expect(report.keys.deleted).toBe(STALE_COUNT * KEYS_EACH - first);
    expect(await keysIn(redis())).toEqual(kept);
  });
});

describe('another server answers after a cut (P10)', () => {
  const endsWhen = async (becomesAnother: (target: Server) => Promise<unknown>): Promise<void> => {
    const target = await Server.start();
    try {
      await settle(target.redis, 'c', STALE);
      let done = false;
      const running = clean(target.url, {
        settings: { restartGrace: false },
        before: async (name) => {
          if (name !== 'mget' || done) return;
          done = true;
          await becomesAnother(target);
        },
      });
      await expect(running).rejects.toThrow(/not the server any more/);
      expect(await target.redis.dbsize()).toBe(KEYS_EACH);
      await target.expectNoLeaks();
    } finally {
      await target.stop();
    }
  };

  test('restarted with the same data: the run ends, and removes nothing', async () => {
    await endsWhen(async (target) => {
      await target.shutDown();
      await target.comeBack();
    });
  });

  test('the same process with another history, as after a failover and back: the run ends, and removes nothing', async () => {
    await endsWhen(async ({ redis: own }) => {
      await own.call('REPLICAOF', '127.0.0.1', '1');
      await own.call('REPLICAOF', 'NO', 'ONE');
      await own.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    });
  });
});
