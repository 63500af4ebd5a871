/** P3 and P6 where keys bring many proofs: each of them fits a call, all of them together do not. */
import { expect, test } from 'vitest';
import { Bulk } from '../../src/redis/call/bulk.ts';
import type { Argument } from '../../src/redis/call/wire.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, heartbeatOf, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
/** Each in a swarm of its own, so that each is proved absent in all the others. */
const PARTNERS = 150;

/** How many heartbeats a call proves: the first two lists of a script's, all that a transaction watches. */
function provedIn(args: readonly Argument[]): number {
  return args
    .filter((one): one is Bulk => one instanceof Bulk)
    .slice(0, 2)
    .reduce((sum, { count }) => sum + count, 0);
}

test.each(STRATEGIES)(
  'by %s, somebody with many keys goes whole, in small calls, though each names another one who is proved in many swarms (P3, P6)',
  async (strategy, rules) => {
    const { redis } = server.current;
    const at = (await nowOf(redis)) - 3_600_000;
    const world: Record<string, string> = { [heartbeatOf('leader', 's0')]: beat(at), 'blocking:signal:leader': '1' };
    for (let i = 0; i < PARTNERS; i++) {
      world[heartbeatOf(`worker-${i}`, `s${i}`)] = beat(at);
      world[`blocking:idempotency:leader:worker-${i}:completion:1:1760000000000`] = '1';
    }
    await writeAll(redis, world);
    const warnings: string[] = [];
    const proofs: number[] = [];
    const report = await clean(await urlFor(server.current, rules), {
      // So little that calls are as small as they get.
      settings: { callBudget: '0.1ms' },
      before: (name, args) => {
        if (name === 'evalsha' || name === 'watch') proofs.push(provedIn(args));
      },
      observer: { warn: (sentence) => void warnings.push(sentence) },
    });
    expect(report.strategy).toBe(strategy);
    expect(await keysIn(redis)).toEqual([]);
    // What the first key of a call needs, its own proof and that of whom it names, and as much again (P6).
    expect(Math.max(...proofs)).toBeGreaterThanOrEqual(2 * PARTNERS);
    expect(Math.max(...proofs)).toBeLessThanOrEqual(5 * PARTNERS + 10);
    expect(warnings.filter((sentence) => sentence.includes('fits no call'))).toEqual([]);
    expect(report.coordinators).toMatchObject({ stale: PARTNERS + 1, swept: PARTNERS + 1 });
  },
);
