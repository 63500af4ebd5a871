import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, heartbeatOf, keysIn, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();

/** Resolves once the server's clock shows this instant. */
async function until(at: number): Promise<void> {
  while ((await nowOf(server.current.redis)) < at) await pause(20);
}

/** Beats are written relative to what the run reads by TIME; where a second turns from one TIME to the next, all begins anew. */
async function judgedAt(ages: Readonly<Record<string, number>>, spelled: (at: number) => unknown = (at) => at) {
  const { url, redis } = server.current;
  for (;;) {
    const seconds = new Set<string>();
    await redis.flushall();
    await writeAll(redis, Object.fromEntries(Object.keys(ages).map((id) => [heartbeatOf(id), 'not yet'])));
    const report = await clean(url, {
      after: async (name, reply) => {
        if (name !== 'time') return;
        const [second = ''] = reply as string[];
        seconds.add(second);
        const now = Number(second) * 1000;
        const beats = Object.entries(ages).map(([id, age]) => [heartbeatOf(id), beat(spelled(now - age * 1000), id)]);
        await writeAll(redis, Object.fromEntries(beats));
      },
    });
    if (seconds.size === 1) return report;
  }
}

test('a coordinator silent for 600 s stays, one silent for 601 s goes (P5)', async () => {
  const report = await judgedAt({ at599: 599, at600: 600, at601: 601 });
  expect(report.coordinators).toMatchObject({ checked: 3, active: 2, stale: 1, swept: 1 });
  expect(await keysIn(server.current.redis)).toEqual([heartbeatOf('at599'), heartbeatOf('at600')]);
});

test('age counts in whole seconds: 600.999 s is not yet 601 (P5)', async () => {
  const report = await judgedAt({ fraction: 600.999, whole: 601.001 });
  expect(report.coordinators).toMatchObject({ active: 1, swept: 1 });
  expect(await keysIn(server.current.redis)).toEqual([heartbeatOf('fraction')]);
});

test.each<[string, (at: number) => unknown]>([
  ['numeric strings', (at) => `${at}`],
  ['ISO 8601 in UTC', (at) => new Date(at).toISOString()],
  ['ISO 8601 with an offset', (at) => new Date(at + 7_200_000).toISOString().replace('Z', '+02:00')],
])('%s are understood, to the second (P5)', async (_, spelled) => {
  await judgedAt({ at600: 600, at601: 601 }, spelled);
  expect(await keysIn(server.current.redis)).toEqual([heartbeatOf('at600')]);
});

test("judges by Redis' clock, not by the worker's (P5)", async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'active', 10);
  await settle(redis, 'stale', 3_600);
  const hostNow = Date.now;
  Date.now = () => hostNow() + 86_400_000;
  try {
    await clean(url);
  } finally {
    Date.now = hostNow;
  }
  expect(await keysIn(redis)).toEqual(kept.sort());
});

test('a run may ask for another threshold than the configured one (P5)', async () => {
  const { url, redis } = server.current;
  await settle(redis, 'slow', 300);
  const gentle = await clean(url);
  expect(gentle.coordinators).toMatchObject({ active: 1, stale: 0 });
  const strict = await clean(url, { staleAfterSeconds: 120 });
  expect(strict).toMatchObject({ staleAfterSeconds: 120, coordinators: { active: 0, swept: 1 } });
});

test('one that beat after the clock was read is active, one an hour ahead is unreadable (P4, P5)', async () => {
  const { url, redis } = server.current;
  const now = await nowOf(redis);
  await writeAll(redis, { [heartbeatOf('ahead')]: beat(now + 3_600_000), [heartbeatOf('late')]: 'not yet' });
  let first = true;
  const report = await clean(url, {
    before: async (name) => {
      if (name !== 'scan' || !first) return;
      first = false;
      // The beat lies one second after the TIME that the run has read; the run is held until that second has come.
      const next = (await nowOf(redis)) + 1_000;
      await writeAll(redis, { [heartbeatOf('late')]: beat(next) });
      await until(next);
    },
  });
  expect(report.coordinators).toMatchObject({ active: 1, unreadable: 1, stale: 0 });
  expect(report.unreadable).toEqual([{ why: 'future', count: 1, sample: [heartbeatOf('ahead')] }]);
});

test('one that beat after the clock was read is active, however long the walk takes from there: it may have missed keys (P3, P5)', async () => {
  const { url, redis } = server.current;
  const kept = await settle(redis, 'late', 0);
  let beatAt = 0;
  let scanned = false;
  const report = await clean(url, {
    staleAfterSeconds: 1,
    before: async (name) => {
      if (name === 'scan' && !scanned) {
        scanned = true;
        beatAt = (await nowOf(redis)) + 1_000;
        await writeAll(redis, { [heartbeatOf('late')]: beat(beatAt) });
      }
      // The run reads the clock again, to tell whether the beat lies ahead of it.
      if (name === 'time' && scanned) await until(beatAt + 2_000);
    },
  });
  expect(report.coordinators).toMatchObject({ active: 1, stale: 0, unreadable: 0 });
  expect(await keysIn(redis)).toEqual(kept.sort());
});
