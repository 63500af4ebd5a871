import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { restore } from '../../src/restore/restore.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { ALL_SWEPT, populate } from '../support/populate.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { allKeys, differences } from './keys.ts';

let server: TestRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => await server.stop());
beforeEach(async () => {
  await server.redis.flushall();
});

const settings = { trash: '1h' };

test('gives back what 10,000 coordinators left, byte for byte and to the second', async () => {
  const { redis, url } = server;
  await populate({ REDIS_URL: url }, 10_000, 9_900);
  const startedAt = performance.now();
  const before = await allKeys(redis);
  const report = await clean(url, { settings });
  expect(report.coordinators).toEqual(ALL_SWEPT);
  expect(report.redis.memoryFreedBytes).toBe(0);
  const swept = await allKeys(redis);
  expect(report.keys.deleted).toBe(before.size - swept.size);
  expect(report.keys.trashed).toBe(report.keys.deleted);

  const target = targetOf(url, settings);
  const back = await restore(target, { run: 'test-run' }, { heartbeats: true });
  expect(back).toEqual({ restored: report.keys.trashed, existing: [], expired: 0 });
  expect(differences(before, await allKeys(redis), performance.now() - startedAt)).toEqual([]);
});
