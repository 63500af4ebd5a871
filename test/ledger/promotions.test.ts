import { expect, test } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.ts';
import { promotionsName } from '../../src/ledger/runs/names.ts';
import { promotedAtOf } from '../../src/ledger/targets/outagesOf.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();
const TARGET = { name: 'default', url: 'redis://here:6379', restartGrace: true };
const KEY = `{stalesweep}:ledger:${promotionsName(TARGET)}`;

function open(): Ledger {
  return new Ledger(server.current.redis, '{stalesweep}', { sizeBytes: 1024 * 1024, ageMs: 90 * 86_400_000 });
}

async function seen(histories: readonly string[], nowMs: number, target = TARGET, notes = true) {
  return Object.fromEntries(await promotedAtOf(open(), target, histories, nowMs, notes));
}

test('who had taken over before anybody looked did so long ago; who does later, when that was first seen, by whomever', async () => {
  expect(await seen(['old'], 1_000)).toEqual({});
  expect(await seen(['old', 'a'], 2_000)).toEqual({ a: 2_000 });
  const told = await Promise.all(Array.from({ length: 8 }, async (_, n) => await seen(['old', 'a', 'b'], 3_000 + n)));
  const first = told[0] as { b: number };
  expect(first.b).toBeGreaterThanOrEqual(3_000);
  for (const one of told) expect(one).toEqual({ a: 2_000, b: first.b });
  expect(await seen(['a'], 9_000, { ...TARGET, name: 'other' })).toEqual({});
});

test('whoever may write nothing sees who takes over begin each time, and writes nothing', async () => {
  expect(await seen(['a'], 1_000, TARGET, false)).toEqual({});
  expect(await server.current.redis.dbsize()).toBe(0);
  await seen([], 1_000);
  expect(await seen(['a'], 2_000, TARGET, false)).toEqual({ a: 2_000 });
  expect(await seen(['a'], 3_000)).toEqual({ a: 3_000 });
});

test('where none had, the first who does is seen', async () => {
  expect(await seen([], 1_000)).toEqual({});
  expect(await seen(['a'], 2_000)).toEqual({ a: 2_000 });
});

test('the newest 1,024 stay; what is damaged is taken for seen by nobody; who does not ask is told of none, nor who can not read', async () => {
  await seen([], 0);
  for (let n = 1; n <= 3; n++)
    await seen(
      Array.from({ length: 500 }, (_, i) => `${n}:${i}`),
      n * 1_000,
    );
  expect(await server.current.redis.strlen(KEY)).toBe(8 + 14 * 1_024);
  expect(await seen(['3:499'], 9_000)).toEqual({ '3:499': 3_000 });
  await server.current.redis.set(KEY, 'damaged, whatever');
  expect(await seen(['3:499'], 9_000)).toEqual({ '3:499': 9_000 });
  expect(await seen(['3:499'], 9_000, { ...TARGET, restartGrace: false })).toEqual({});
  await server.current.redis.del(KEY);
  await server.current.redis.rpush(KEY, 'no string');
  expect(await seen(['a'], 9_000)).toEqual({});
});
