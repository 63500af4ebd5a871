import { describe, expect, test } from 'vitest';
import type { Report, UnreadableGroup } from '../../src/domain/report.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, heartbeatOf, writeAll } from '../support/world.ts';
import { work } from '../support/worker.ts';
import { unreadableIn, Warnings } from '../../workers/job/tell.ts';

const server = useRedis();

describe('what is unreadable', () => {
  const told = (...unreadable: readonly UnreadableGroup[]) => unreadableIn({ unreadable } as unknown as Report);

  test('is told by reason, with three names each (P4)', () => {
    expect(
      told({ why: 'not-json', count: 1, sample: ['a'] }, { why: 'future', count: 12, sample: ['b', 'c', 'd', 'e'] }),
    ).toMatchObject({ sentence: "heartbeats that can't be judged are kept: 1 not-json (a); 12 future (b, c, d, …)" });
    expect(told()).toBeNull();
  });

  test('is news for a target when it changed since its last run, in whatever order it was met', () => {
    const warnings = new Warnings();
    const isNews = (target: string, ...groups: readonly UnreadableGroup[]) => {
      const begun = warnings.begin(target);
      const found = told(...groups);
      return found !== null && begun(found.news);
    };
    const one: UnreadableGroup = { why: 'not-json', count: 2, sample: ['a', 'b'] };
    expect(isNews('t', one)).toBe(true);
    expect(isNews('t', { ...one, sample: ['b', 'a'] })).toBe(false);
    expect(isNews('other', one)).toBe(true);
    expect(isNews('t', { ...one, sample: ['a', 'c'] })).toBe(true);
    expect(isNews('t', { ...one, why: 'no-time' })).toBe(true);
    expect(isNews('t')).toBe(false);
    expect(isNews('t', one)).toBe(true);
    expect(isNews('t', { ...one, count: 9 })).toBe(true);
    expect(isNews('t', { ...one, count: 9, sample: ['x', 'y'] })).toBe(false);
  });
});

test('a worker logs the names of unreadable heartbeats once, until they change (P4)', async () => {
  const { url, redis } = server.current;
  const env = { REDIS_URL: url, STALESWEEP_CRON: '0 0 1 1 *' };
  await writeAll(redis, { [heartbeatOf('word')]: 'x', [heartbeatOf('zero')]: beat(0) });
  const worker = await work(env);
  const warnings = async () => {
    const { code } = await command(['enqueue', '--wait'], env);
    expect(code).toBe(0);
    return worker
      .log()
      .split('\n')
      .filter((line) => line.includes('"level":40'))
      .map((line) => JSON.parse(line) as { msg: string; unreadable: Report['unreadable'] });
  };
  const first = await warnings();
  expect(first).toMatchObject([
    {
      target: 'default',
      msg: `heartbeats that can't be judged are kept: 1 not-json (${heartbeatOf('word')}); 1 wrong-unit (${heartbeatOf('zero')})`,
      unreadable: [
        { why: 'not-json', count: 1, sample: [heartbeatOf('word')] },
        { why: 'wrong-unit', count: 1, sample: [heartbeatOf('zero')] },
      ],
    },
  ]);
  expect(await warnings()).toHaveLength(1);
  await redis.del(heartbeatOf('word'));
  expect((await warnings()).map(({ msg }) => msg)).toEqual([
    first[0]?.msg,
    `heartbeats that can't be judged are kept: 1 wrong-unit (${heartbeatOf('zero')})`,
  ]);
  await worker.close();
});
