/** P1 whatever proves a heartbeat: short values themselves, long ones by their digest, and where memory is short more of them so. */
import { expect, test } from 'vitest';
import { Bulk } from '../../src/redis/call/bulk.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { COUNTED, EACH, LENGTHS, LITTLE_MEMORY, proofWorld } from '../support/proofs.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();

test.each(STRATEGIES)(
  'by %s, whoever writes its heartbeat anew stays, however long that is and whatever proves it; everybody else goes (P1)',
  async (strategy, rules) => {
    const { redis } = server.current;
    const { world, anew, stays } = proofWorld((await nowOf(redis)) - 3_600_000);
    await writeAll(redis, world);
    const proofs: string[] = [];
    const report = await clean(await urlFor(server.current, rules), {
      memoryBudgetBytes: LITTLE_MEMORY,
      // Small pages, so that memory becomes short in the midst of them.
      settings: { callBudget: '0.1ms' },
      confirm: async () => {
        await writeAll(redis, anew);
        return true;
      },
      before: (name, args) => {
        if (name !== 'evalsha') return;
        for (const arg of args) if (arg instanceof Bulk) proofs.push(...arg.texts());
      },
    });
    expect(report.strategy).toBe(strategy);
    expect(await keysIn(redis)).toEqual(stays);
    expect(report.coordinators).toMatchObject(COUNTED);
    if (strategy !== 'script') return;
    // Of one length some are proved by their digest, some not.
    const digests = new Set(proofs.filter((text) => /^#[0-9a-f]{40}$/.test(text)));
    expect(digests.size).toBeGreaterThan(LENGTHS.filter((bytes) => bytes > 256).length * EACH);
    expect(proofs.some((text) => text.startsWith('{') && text.length > 64)).toBe(true);
  },
);
