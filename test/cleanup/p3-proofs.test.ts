/** P3 where keys bring many proofs: each of them fits a call, all of them together do not. */
import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, heartbeatOf, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
/** Each in a swarm of its own, so that each is proved absent in all the others. */
const PARTNERS = 150;

test.each(STRATEGIES)(
  'by %s, somebody with many keys goes whole, though each names another one who is proved in many swarms (P3)',
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
    const report = await clean(await urlFor(server.current, rules), {
      observer: { warn: (sentence) => void warnings.push(sentence) },
    });
    expect(report.strategy).toBe(strategy);
    expect(await keysIn(redis)).toEqual([]);
    expect(warnings.filter((sentence) => sentence.includes('fits no call'))).toEqual([]);
    expect(report.coordinators).toMatchObject({ stale: PARTNERS + 1, swept: PARTNERS + 1 });
  },
);
