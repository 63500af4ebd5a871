/** What a run tells whoever keeps a record of it: who is to go before anything goes, then what went, by name. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Removal } from '../../src/domain/removal.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, heartbeatOf, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const FAMILIES = ['heartbeat', 'signal', 'ack', 'idempotency', 'activity', 'state'];

/** What one coordinator may have, by family. */
function remainsOf(id: string, swarm: string): readonly (readonly [number, string])[] {
  return [
    [1, `blocking:signal:${id}`],
    [2, `blocking:ack:${id}:1`],
    [2, `blocking:ack:${id}:2`],
    [3, `blocking:idempotency:${id}`],
    [3, `blocking:idempotency:${id}:x`],
    [4, `swarm:${swarm}:agent:${id}:activity`],
    [5, `swarm:${swarm}:blocking:${id}`],
  ];
}

const worlds = fc.record({
  coordinators: fc.array(
    fc.record({
      has: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
      swarm: fc.constantFrom('s1', 's2', 's3'),
      silentSeconds: fc.constantFrom(10, 1_000, 5_000),
      revives: fc.boolean(),
    }),
    { minLength: 1, maxLength: 400 },
  ),
  everyKey: fc.boolean(),
  memoryBudgetBytes: fc.constantFrom(undefined, 20_000, 100_000),
});

describe.each(STRATEGIES)('by %s', (strategy, rules) => {
  test('who keeps a record hears of everybody before anything of theirs goes, and of each key that went (P13)', async () => {
    const { redis } = server.current;
    const url = await urlFor(server.current, rules);
    await fc.assert(
      fc.asyncProperty(worlds, async ({ coordinators, everyKey, memoryBudgetBytes }) => {
        await redis.flushall();
        const now = await nowOf(redis);
        const world: Record<string, string> = {};
        const had = new Map<string, number[]>();
        for (const [i, { has, swarm, silentSeconds }] of coordinators.entries()) {
          const id = `c${i}`;
          const counts = FAMILIES.map(() => 0);
          const give = (family: number, name: string, value: string) => {
            world[name] = value;
            counts[family] = (counts[family] ?? 0) + 1;
          };
          give(0, heartbeatOf(id, swarm), beat(now - silentSeconds * 1000, id));
          for (const [n, [family, name]] of remainsOf(id, swarm).entries())
            if (everyKey || has[n]) give(family, name, '1');
          had.set(id, counts);
        }
        await writeAll(redis, world);

        const condemned = new Map<string, { swarm: string; silentSeconds: number }>();
        const removals: Removal[] = [];
        const note = (one: Removal) =>
          removals.push({ ...one, coordinator: one.coordinator.slice(), swarm: one.swarm?.slice() ?? null });
        const names: string[] = [];
        const report = await clean(url, {
          ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }),
          observer: {
            condemn: async (next) => {
              const hearts: string[] = [];
              for (const { coordinator, swarm, silentSeconds } of next) {
                const id = Buffer.from(coordinator).toString();
                expect(condemned.has(id)).toBe(false);
                condemned.set(id, { swarm: Buffer.from(swarm ?? []).toString(), silentSeconds });
                hearts.push(heartbeatOf(id, condemned.get(id)?.swarm));
              }
              expect(await redis.exists(...hearts)).toBe(hearts.length);
              for (const [i, { revives, swarm, silentSeconds }] of coordinators.entries()) {
                if (revives && silentSeconds > 600 && condemned.has(`c${i}`)) {
                  await redis.set(heartbeatOf(`c${i}`, swarm), beat(now, `c${i}`), 'XX');
                }
              }
            },
            left: (left) => {
              for (const one of left) note(one);
            },
            removed: (told) => {
              for (const one of told.removals) if (one.swept) note(one);
              names.push(...told.names().flatMap((family) => family.map((name) => Buffer.from(name).toString())));
            },
          },
        });

        expect(report.strategy).toBe(strategy);
        const left = new Set(await keysIn(redis));
        const gone = Object.keys(world).filter((name) => !left.has(name));
        const known = removals.every(({ keys }) => keys.every((count) => count !== null));
        if (known) expect(names.sort()).toEqual(gone.sort());
        else expect(gone.filter((name) => !names.includes(name))).toEqual([]);

        const swept = removals.filter((removal) => removal.swept);
        expect(swept).toHaveLength(report.coordinators.swept);
        const told = new Set<string>();
        for (const { coordinator, silentSeconds, swarm, keys, lapsed } of removals) {
          const id = Buffer.from(coordinator).toString();
          const { swarm: where, silentSeconds: silence } = coordinators[Number(id.slice(1))] ?? {};
          expect({ swarm: Buffer.from(swarm ?? []).toString(), lapsed }).toEqual({ swarm: where, lapsed: false });
          expect(silentSeconds).toBeGreaterThanOrEqual(silence ?? 0);
          expect(condemned.get(id)).toEqual({ swarm: where, silentSeconds });
          expect(told).not.toContain(id);
          told.add(id);
          const due = had.get(id) ?? [];
          expect(keys).toEqual(keys.map((count, family) => (count === null ? null : due[family])));
        }
      }),
      { numRuns: 5 },
    );
  }, 120_000);
});
