/** P12: many deaths at once are not believed at once. And the other guards that keep somebody who is silent. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ahead } from '../../src/cleanup/run.ts';
import type { Past } from '../../src/domain/suddenSilence.ts';
import { type CleanOptions, clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, heartbeatOf, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();

/** So many coordinators, each with a signal, each silent for so many seconds. */
async function populate(groups: readonly (readonly [string, number, number])[]): Promise<void> {
  const now = await nowOf(server.current.redis);
  const world: Record<string, string> = {};
  for (const [name, count, silentSeconds] of groups) {
    for (let i = 0; i < count; i++) {
      world[heartbeatOf(`${name}${i}`)] = beat(now - silentSeconds * 1000);
      world[`blocking:signal:${name}${i}`] = '1';
    }
  }
  await writeAll(server.current.redis, world);
}
async function namesLeft(): Promise<string[]> {
  return (await keysIn(server.current.redis))
    .filter((name) => name.startsWith('blocking:signal:'))
    .map((name) => name.slice(16));
}
function was(active: number, heldSinceAt: number | null = null): Past {
  return { active, heldSinceAt };
}
async function run(options: CleanOptions = {}) {
  return await clean(server.current.url, options);
}

describe.each(STRATEGIES)('by %s', (_, rules) => {
  test('of 1,000 that were active 600 fall silent: they are held, whoever was silent longer goes (P12)', async () => {
    await populate([
      ['active', 400, 10],
      ['silent', 600, 700],
      ['long', 30, 1_300],
    ]);
    const url = await urlFor(server.current, rules);
    const warned: string[] = [];
    const report = await clean(url, { past: was(1_000), observer: { warn: (sentence) => warned.push(sentence) } });
    expect(report.coordinators).toMatchObject({ checked: 1_030, active: 400, held: 600, stale: 30, swept: 30 });
    expect(report.held?.since).toEqual(expect.any(String));
    expect(Date.parse(report.held?.until ?? '') - Date.now()).toBeGreaterThan(400_000);
    expect(warned.join()).toContain('held');
    expect(await namesLeft()).toHaveLength(1_000);
  });
});

test.each([
  ['600 of 1,000 are left', was(1_000), 600],
  ['nothing is known of the past', null, 10],
  ['19 fewer are active', was(29), 10],
  ['it is switched off', was(1_000), 10, { suddenSilence: false }],
  ['less is sudden to the operator', was(1_000), 110, { suddenSilence: { fraction: 0.1, from: 20 } }],
] as const)('nobody is held where %s (P12)', async (...[, past, active, settings]) => {
  await populate([
    ['active', active, 10],
    ['silent', 400, 700],
  ]);
  const report = await run({ past, ...(settings === undefined ? {} : { settings }) });
  expect(report.coordinators).toMatchObject({ active, held: 0, stale: 400, swept: 400 });
  expect(report.held).toBeUndefined();
});

test('while a target is held its threshold counts double; with force it does not (P12)', async () => {
  await populate([
    ['active', 5, 560],
    ['silent', 5, 1_150],
    ['gone', 5, 1_201],
  ]);
  const held = await run({ past: was(5, Date.now() - 60_000) });
  expect(held.coordinators).toMatchObject({ active: 5, held: 5, stale: 5, swept: 5 });
  const forced = await run({ past: was(5, Date.now() - 60_000), force: true });
  expect(forced.coordinators).toMatchObject({ active: 5, held: 0, stale: 5, swept: 5 });
  expect(forced.held).toBeUndefined();
});

test('however little memory there is, whoever is held keeps everything, and counts are the same (P9, P12)', async () => {
  const sizes = fc.record({
    active: fc.integer({ min: 0, max: 40 }),
    silent: fc.integer({ min: 0, max: 300 }),
    long: fc.integer({ min: 0, max: 300 }),
    before: fc.integer({ min: 0, max: 200 }),
    heldBefore: fc.boolean(),
    memoryBudgetBytes: fc.constantFrom(2_000, 20_000, 1_000_000),
  });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ active, silent, long, before, heldBefore, memoryBudgetBytes }) => {
      await server.current.redis.flushall();
      await populate([
        ['active', active, 10],
        ['silent', silent, 700],
        ['long', long, 1_300],
      ]);
      const isHeld = heldBefore || (active < before / 2 && before - active >= 20);
      const past = was(before, heldBefore ? Date.now() - 1_000 : null);
      const due = {
        checked: active + silent + long,
        active,
        held: isHeld ? silent : 0,
        stale: isHeld ? long : silent + long,
        revived: 0,
      };
      const dry = await run({ past, memoryBudgetBytes, dryRun: true });
      expect(dry.coordinators).toMatchObject({ ...due, swept: 0 });
      const report = await run({ past, memoryBudgetBytes });
      expect(report.coordinators).toMatchObject({ ...due, swept: due.stale });
      expect(report.silence.reduce((all, count) => all + count, 0)).toBe(due.checked);
      expect(await namesLeft()).toHaveLength(active + due.held);
    }),
    { numRuns: 6 },
  );
});

test('however little memory there is, whoever is about to be held is no reason to refuse, or to ask (P9, P12)', async () => {
  await populate([
    ['active', 10, 10],
    ['silent', 300, 700],
    ['long', 20, 1_300],
  ]);
  const asked: unknown[] = [];
  const confirm = async ({ coordinators }: Ahead) => {
    asked.push(coordinators);
    return false;
  };
  const due = { checked: 330, active: 10, held: 300, stale: 20 };
  for (const memoryBudgetBytes of [2_000, 1_000_000]) {
    const past = was(310);
    const refused = await run({ past, memoryBudgetBytes, settings: { maxStale: 10 } });
    expect(refused).toMatchObject({ outcome: 'refused', coordinators: { ...due, swept: 0 } });
    expect(refused.reason).toContain('20 of 330 coordinators look stale');
    expect(refused.held?.until).toEqual(expect.any(String));
    await run({ past, memoryBudgetBytes, settings: { maxStaleFraction: 0.5, maxStale: 100 }, confirm });
    expect(asked.splice(0)).toEqual([expect.objectContaining(due)]);
    const dry = { past, memoryBudgetBytes, settings: { maxStaleFraction: 0.5, maxStale: 100 }, dryRun: true };
    expect(await run(dry)).toMatchObject({ outcome: 'completed', coordinators: { ...due, swept: 0 } });
  }
});

test('a protected one keeps everything, however silent it is; so does what it shares with others (P2)', async () => {
  await populate([
    ['leader-', 5, 5_000],
    ['c', 5, 5_000],
  ]);
  await server.current.redis.set('blocking:idempotency:c2:leader-1:x', '1');
  const report = await run({ settings: { protect: ['leader-*', 'c3'] } });
  expect(report.coordinators).toMatchObject({ checked: 10, protected: 6, stale: 4, swept: 4 });
  expect((await namesLeft()).sort()).toEqual(['c3', ...[0, 1, 2, 3, 4].map((i) => `leader-${i}`)]);
  expect(await server.current.redis.exists('blocking:idempotency:c2:leader-1:x')).toBe(1);
});

test.each([['q:box'], ['q:*'], ['q:']])(
  'an id of another shape than the schema says is protected as any other, %s (P2)',
  async (pattern) => {
    const { redis, url } = server.current;
    const silent = beat((await nowOf(redis)) - 3_600_000);
    // Two of the names can be read as those of `q:box` and `q:`, too.
    const values = { 'x-q:hb': silent, 'x-q:box': '1', 'x-q:': '1', 'x-q:log': '1', 'x-q': '1' };
    await writeAll(redis, { ...values, 'w:hb': beat(await nowOf(redis)) });
    const mine = { heartbeat: '{coordinator}:hb', box: ['{coordinator}:box', 'x-{coordinator}', '{coordinator}:'] };
    const report = await clean(url, { settings: { schema: 'mine', schemas: { mine }, protect: [pattern] } });
    expect(report.coordinators).toMatchObject({ stale: 1, swept: 1 });
    const kept = pattern === 'q:*' ? ['x-q:', 'x-q:box'] : [`x-${pattern}`];
    expect(await keysIn(redis)).toEqual([...kept, 'w:hb', 'x-q', 'x-q:log'].sort());
  },
);

test('who is protected keeps what could be theirs without a heartbeat, too: from others, and from being an orphan (P2)', async () => {
  const { redis } = server.current;
  await populate([['c', 5, 5_000]]);
  const theirs = [
    'blocking:ack:leader-9:1',
    'blocking:signal:leader-9',
    'blocking:idempotency:c2:leader-9:completion:1:1760000000000',
  ];
  const nobodys = 'blocking:ack:lead:1';
  await redis.set('template', 'value');
  const payload = await redis.dumpBuffer('template');
  await redis.del('template');
  for (const key of [...theirs, nobodys]) await redis.call('RESTORE', key, '0', payload, 'IDLETIME', '5000');
  const settings = { protect: ['leader-*'], orphans: ['ack', 'signal'] };
  const dry = await run({ settings, dryRun: true });
  const report = await run({ settings });
  expect(report).toMatchObject({ coordinators: { stale: 5, swept: 5, protected: 0 }, keys: { orphans: 1, kept: 1 } });
  expect(dry.keys.found).toBe(report.keys.found);
  expect(await redis.exists(nobodys)).toBe(0);
  expect(await redis.exists(theirs)).toBe(theirs.length);
});

test('more than maxStale are refused, with those of whom there are only orphans', async () => {
  await populate([['c', 3, 5_000]]);
  await writeAll(server.current.redis, {
    'blocking:ack:o1:1': '1',
    'blocking:ack:o1:2': '1',
    'blocking:ack:o2:1': '1',
    'blocking:signal:nobody': '1',
  });
  const before = await keysIn(server.current.redis);
  const settings = (maxStale: number, orphans: readonly string[] = []) => ({ settings: { maxStale, orphans } });
  expect(await run(settings(2))).toMatchObject({ outcome: 'refused' });
  const refused = await run(settings(4, ['ack']));
  expect(refused).toMatchObject({ outcome: 'refused', coordinators: { swept: 0 } });
  expect(refused.reason).toContain('5 of 5 coordinators look stale, more than maxStale 4 allows');
  expect(await keysIn(server.current.redis)).toEqual(before);
  expect(await run(settings(5, ['ack']))).toMatchObject({ outcome: 'completed', coordinators: { swept: 3 } });
});

test('in mode observe every run is a dry run, whoever asks', async () => {
  await populate([['c', 3, 5_000]]);
  const report = await run({ settings: { mode: 'observe' }, force: true });
  expect(report).toMatchObject({ dryRun: true, coordinators: { stale: 3, swept: 0 }, keys: { found: 6, deleted: 0 } });
  expect(await namesLeft()).toHaveLength(3);
});
