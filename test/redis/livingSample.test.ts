import { expect, test } from 'vitest';
import { LivingSample } from '../../src/redis/sample/livingSample.ts';
import { compileSchema } from '../../src/schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();
const THRESHOLD_MS = 20_000;
const RUN_EVERY_MS = 10_000;
const SAMPLE = { coordinators: 100, stale: 0, acks: 2, idempotency: 1, staleAfterSeconds: 20 };

test('a living sample has, within two minutes, somebody at risk always, and who dies, is long gone, and comes back', async () => {
  const { redis } = server.current;
  const schema = compileSchema('swarm', SHIPPED_SCHEMAS.swarm ?? { families: {} });
  const living = new LivingSample(redis, schema, SAMPLE);
  const startedAt = await living.now();
  await living.writeOddities(startedAt, { unreadable: 'odd', protected: 'kept' });
  const oddities = (await redis.keys('*')).sort();
  expect(oddities).toEqual(['swarm:swarm-4:blocking:heartbeat:kept', 'swarm:swarm-4:blocking:heartbeat:odd']);

  /** How long each has been silent, by its heartbeat. */
  const silencesAt = async (now: number): Promise<Map<string, number>> => {
    const names = (await redis.keys('swarm:*:blocking:heartbeat:*coordinator-*')).sort();
    const values = await redis.mget(names);
    return new Map(names.map((name, n) => [name, now - JSON.parse(values[n] ?? '').timestamp]));
  };
  const gone = new Set<string>();
  const back = new Set<string>();
  for (let now = startedAt; now < startedAt + 120_000; now += 2_000) {
    const turns = await living.beat(now);
    const silences = await silencesAt(now);
    for (const name of gone) if (silences.has(name)) back.add(name);
    for (const { what, ids } of turns) if (what === 'came back') expect(ids.length).toBe(4);
    if (now - startedAt >= THRESHOLD_MS) {
      const atRisk = [...silences.values()].filter((ms) => ms > THRESHOLD_MS / 2 && ms <= THRESHOLD_MS);
      expect(atRisk.length, `at ${now - startedAt} ms`).toBeGreaterThan(0);
    }
    // What a run does, every ten seconds.
    if ((now - startedAt) % RUN_EVERY_MS !== 0) continue;
    for (const [name, ms] of silences) {
      if (ms <= THRESHOLD_MS) continue;
      gone.add(name);
      const id = name.split(':heartbeat:')[1];
      await redis.unlink(name, ...(await redis.keys(`*:${id}`)), ...(await redis.keys(`*:${id}:*`)));
    }
  }
  // Three groups of four, and nobody who is only slow.
  expect(gone.size).toBe(12);
  expect(back.size).toBe(12);
});
