import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { type Coordinator, expectedOf } from '../support/model.ts';
import { beat, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();

const SILENCE = { active: 10, stale: 3_600 };
/** Ids that are each other's beginnings, patterns, words of the schema, blanks, and letters outside ASCII. */
const IDS = ['c1', 'c10', 'c', '*', 'c*', '?', '[c]1', 'c\\1', '^-', 'a-z', 'heartbeat', 'update', 'x y', 'ü', '日'];
const SWARMS = ['s1', 's10', '*', 'agent'];

const id = fc.constantFrom(...IDS);
const swarm = fc.constantFrom(...SWARMS);
const segment = fc.oneof({ weight: 4, arbitrary: id }, fc.constantFrom('', '1', '1760000000000'));
const coordinator = fc.record({ id, swarm, condition: fc.constantFrom('active', 'stale', 'stale', 'unreadable') });
const flatCoordinators = fc.uniqueArray(coordinator, { selector: (one) => one.id, maxLength: 12 });
const swarmCoordinators = fc.uniqueArray(coordinator, { selector: (one) => `${one.swarm}:${one.id}`, maxLength: 16 });

const tail = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join(':'));
const key = fc.oneof(
  tail.map((rest) => `blocking:idempotency:${rest}`),
  tail.map((rest) => `blocking:ack:${rest}`),
  id.map((one) => `blocking:signal:${one}`),
  id.map((one) => `blocking:state:${one}`),
  id.map((one) => `coordinator:activity:${one}`),
  fc.tuple(swarm, id).map(([its, one]) => `swarm:${its}:agent:${one}:activity`),
  fc.tuple(swarm, id).map(([its, one]) => `swarm:${its}:blocking:${one}`),
  // Look-alikes that belong to nobody's schema.
  tail.map((rest) => `blocking:${rest}`),
  tail.map((rest) => `swarm:s1:${rest}`),
);

const heartbeatKey = (schema: string, { swarm: its, id: own }: Coordinator): string =>
  schema === 'flat' ? `blocking:heartbeat:${own}` : `swarm:${its}:blocking:heartbeat:${own}`;

const prepare = async (schema: string, coordinators: readonly Coordinator[], others: readonly string[]) => {
  const { redis } = server.current;
  await redis.flushall();
  const now = await nowOf(redis);
  const world: Record<string, string> = Object.fromEntries(others.map((one) => [one, '1']));
  for (const one of coordinators) {
    const value = one.condition === 'unreadable' ? '{}' : beat(now - SILENCE[one.condition] * 1000, one.id);
    world[heartbeatKey(schema, one)] = value;
  }
  await writeAll(redis, world);
  return await keysIn(redis);
};

/** The random keys must not be heartbeats themselves: those the coordinators bring. */
const isHeartbeat = (name: string) => /^(swarm:[^:]+:)?blocking:heartbeat:[^:]+$/.test(name);

for (const [schema, coordinators] of [
  ['swarm', swarmCoordinators],
  ['flat', flatCoordinators],
] as const) {
  test.each([
    ['at once', undefined],
    ['in a second pass, when memory is short (P9)', 1],
    ['in rounds, when memory is short (P9)', 900],
  ])(
    `${schema}: exactly the keys of stale coordinators go, whoever else is there, %s (P2, P7, P8)`,
    async (_, bytes) => {
      const world = fc.tuple(coordinators, fc.uniqueArray(key, { maxLength: 40 }));
      const options = { settings: { schema }, ...(bytes === undefined ? {} : { memoryBudgetBytes: bytes }) };
      await fc.assert(
        fc.asyncProperty(world, async ([living, names]) => {
          const others = names.filter((name) => !isHeartbeat(name));
          const all = await prepare(schema, living, others);
          const expected = expectedOf(schema, living, all);

          const dry = await clean(server.current.url, { ...options, dryRun: true });
          expect(await keysIn(server.current.redis)).toEqual(all);
          const report = await clean(server.current.url, options);

          expect(await keysIn(server.current.redis)).toEqual(expected.left);
          expect(report.keys.byFamily).toEqual(expected.byFamily);
          expect(report.keys.deleted).toBe(all.length - expected.left.length);
          expect(dry.keys).toEqual({ ...report.keys, deleted: 0 });
          const stale = living.filter(({ condition }) => condition === 'stale').length;
          expect(report.coordinators).toMatchObject({ checked: living.length, stale, swept: stale, revived: 0 });
          expect(dry.coordinators).toEqual({ ...report.coordinators, swept: 0 });
          if (report.keys.orphans !== null) expect(report.keys.orphans).toBe(expected.orphans);
          else expect([bytes === undefined, stale]).toEqual([false, 0]);
        }),
        { numRuns: 120 },
      );
    },
  );
}
