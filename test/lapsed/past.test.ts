import { describe, expect, test } from 'vitest';
import { StopWish } from '../../src/cleanup/run.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, keysIn, nowOf, writeAll } from '../support/world.ts';
import {
  beats,
  belongingsOf,
  gone,
  heartbeatOf,
  lapse,
  leftIn,
  namesRemembered,
  remember,
  rememberedIn,
  runWithPast,
  settle,
  sharedBy,
} from './scene.ts';

const server = useRedis();
async function ownKeys() {
  return (await keysIn(server.current.redis)).filter((key) => key.startsWith('{stalesweep}'));
}

describe('what a run leaves for the next', () => {
  test('is nothing where heartbeats do not expire (P11)', async () => {
    const { redis } = server.current;
    await settle(redis, 'flat', 'a');
    await redis.persist(heartbeatOf('flat', 'a'));
    await runWithPast(server.current);
    expect(await ownKeys()).toEqual([]);
  });

  test('is who beats, who has lapsed and lives, and nobody else (P11)', async () => {
    const { redis } = server.current;
    await settle(redis, 'flat', 'a');
    await lapse(redis, 'flat', [...gone('swept'), { id: 'lapsed', agoSeconds: 100 }]);
    await redis.set(heartbeatOf('flat', 'unreadable'), '{"timestamp":1}', 'EX', 90);
    await runWithPast(server.current);
    expect(await namesRemembered(redis)).toEqual(['a', 'lapsed']);
  });

  test('is everybody it found, when it is refused (P11)', async () => {
    const { redis } = server.current;
    await settle(redis, 'flat', 'a');
    await lapse(redis, 'flat', gone('b', 'c', 'd'));
    const before = await leftIn(redis);
    const { report } = await runWithPast(server.current, { settings: { maxStale: 2 } });
    expect(report).toMatchObject({ outcome: 'refused', coordinators: { stale: 3, lapsed: 3, swept: 0 } });
    expect(await leftIn(redis)).toEqual(before);
    expect(await namesRemembered(redis)).toEqual(['a', 'b', 'c', 'd']);
    const forced = await runWithPast(server.current, { settings: { maxStale: 2 }, force: true });
    expect(forced.report.coordinators).toMatchObject({ stale: 3, lapsed: 3, swept: 3 });
    expect(await namesRemembered(redis)).toEqual(['a']);
  });

  const decline = async (): Promise<boolean> => false;
  test.each([
    ['is refused', { settings: { maxStale: 0 } }],
    ['is refused, and its records do not fit', { settings: { maxStale: 0 }, memoryBudgetBytes: 900 }],
    ['is declined', { confirm: decline }],
    ['is declined, and its records do not fit', { confirm: decline, memoryBudgetBytes: 900 }],
  ])('has the last beat that was seen, and forgets nobody, when it %s (P9, P11)', async (_, given) => {
    const { redis } = server.current;
    const ids = Array.from({ length: 60 }, (_, i) => `gone${i}`);
    await lapse(redis, 'flat', [{ id: 'back', agoSeconds: 500 }, ...gone(...ids)]);
    await beats(redis, 'flat', 'back');
    const before = await leftIn(redis);
    const { report } = await runWithPast(server.current, given);
    expect(report.coordinators).toMatchObject({ active: 1, stale: 60, swept: 0 });
    expect(await leftIn(redis)).toEqual(before);
    const seen = new Map((await rememberedIn(redis)).map(({ id, agoSeconds }) => [id, agoSeconds]));
    expect([...seen.keys()].sort()).toEqual(['back', ...ids].sort());
    expect(seen.get('back')).toBeLessThan(60);
  });

  test.each(['scan', 'mget', 'evalsha'])(
    'is what the one before left, when it is interrupted at its first %s (P3, P11)',
    async (call) => {
      const { redis } = server.current;
      await settle(redis, 'flat', 'a');
      await lapse(redis, 'flat', gone('b', 'c'));
      const interrupt = new AbortController();
      const run = runWithPast(server.current, {
        signal: interrupt.signal,
        before: (name) => name === call && interrupt.abort(),
      });
      await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
      expect(await namesRemembered(redis)).toEqual(['b', 'c']);
      await runWithPast(server.current);
      expect(await leftIn(redis)).toEqual([heartbeatOf('flat', 'a'), ...belongingsOf('flat', 'a')].sort());
    },
  );

  test('has whoever was seen before and cannot be judged now: it lives until its heartbeat has been gone for long enough (P2, P4, P11)', async () => {
    const { redis } = server.current;
    const now = await nowOf(redis);
    await lapse(redis, 'flat', [{ id: 'skewed', agoSeconds: 500 }, ...gone('b')]);
    await writeAll(redis, { [sharedBy('b', 'skewed')]: '1' });
    // Its host's clock is ahead, as it may be at each second look.
    await redis.set(heartbeatOf('flat', 'skewed'), beat(now + 900_000, 'skewed'), 'EX', 90);
    await redis.set(heartbeatOf('flat', 'never'), beat(now + 900_000, 'never'), 'EX', 90);
    const refused = await runWithPast(server.current, { settings: { maxStale: 0 } });
    expect(refused.report).toMatchObject({ outcome: 'refused', coordinators: { unreadable: 2, stale: 1 } });
    await redis.del(heartbeatOf('flat', 'skewed'), heartbeatOf('flat', 'never'));
    // As if two minutes had passed since it was first seen, and none since it was last there.
    const { report } = await runWithPast(server.current, { staleAfterSeconds: 400 });
    expect(report.coordinators).toMatchObject({ active: 1, stale: 1, swept: 1 });
    expect(await leftIn(redis)).toEqual([...belongingsOf('flat', 'skewed'), sharedBy('b', 'skewed')].sort());
    expect(await namesRemembered(redis)).toEqual(['b', 'skewed']);
  });

  test('has whoever was left, with the last beat that was seen, when somebody stops it (P3, P11)', async () => {
    const { redis } = server.current;
    await lapse(redis, 'flat', [{ id: 'back', agoSeconds: 500 }, ...gone('b', 'c')]);
    await beats(redis, 'flat', 'back');
    const stop = new AbortController();
    const { report } = await runWithPast(server.current, {
      signal: stop.signal,
      before: (name) => name === 'evalsha' && stop.abort(new StopWish('somebody stopped it')),
    });
    expect(report).toMatchObject({ outcome: 'stopped', coordinators: { active: 1, stale: 2 } });
    const seen = new Map((await rememberedIn(redis)).map(({ id, agoSeconds }) => [id, agoSeconds]));
    expect(seen.get('back')).toBeLessThan(60);
    const left = (await leftIn(redis)).filter((key) => /:[bc]\b/.test(key));
    expect(['b', 'c'].filter((id) => seen.has(id))).toEqual(
      ['b', 'c'].filter((id) => left.some((key) => key.includes(`:${id}`))),
    );
  });

  test('has whoever was left, when it fails in the middle (P3, P11)', async () => {
    const { redis } = server.current;
    await settle(redis, 'flat', 'a');
    await lapse(redis, 'flat', gone('b', 'c'));
    const failing = runWithPast(server.current, {
      before: (name) => {
        if (name === 'evalsha') throw new Error('the line is dead');
      },
    });
    await expect(failing).rejects.toThrow('the line is dead');
    expect(await namesRemembered(redis)).toEqual(['a', 'b', 'c']);
  });

  test('of two runs that end at once is everybody whom either saw, with the later beat, once (P11)', async () => {
    const { redis } = server.current;
    await settle(redis, 'flat', 'a');
    await lapse(redis, 'flat', [{ id: 'b', agoSeconds: 400 }, ...gone('swept')]);
    // The other one ends when this one has read what there was, and before it puts its own in that place.
    let other: Promise<void> | undefined;
    await runWithPast(server.current, {
      before: (name) => {
        if (name !== 'evalsha') return;
        other ??= remember(redis, [
          { id: 'a', agoSeconds: 300 },
          { id: 'b', agoSeconds: 200 },
          { id: 'c', agoSeconds: 100 },
        ]);
        return other;
      },
    });
    const seen = new Map((await rememberedIn(redis)).map(({ id, agoSeconds }) => [id, agoSeconds]));
    expect((await rememberedIn(redis)).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(seen.get('a')).toBeLessThan(30);
    expect(Math.abs((seen.get('b') ?? 0) - 200)).toBeLessThan(30);
  });
});
