import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { DamagedBlock } from '../../src/ledger/block/damagedBlock.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { outagesName } from '../../src/ledger/runs/names.ts';
import type { Span } from '../../src/ledger/targets/outages.ts';
import { outagesOf } from '../../src/ledger/targets/outagesOf.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();
const TARGET = { name: 'default', url: 'redis://here:6379', restartGrace: true };
const KEY = `{stalesweep}:ledger:${outagesName(TARGET)}`;
/** Where older versions noted it. */
const OLDER_KEY = '{stalesweep}:ledger:outages/default';
function open(): Ledger {
  return new Ledger(server.current.redis, '{stalesweep}', { sizeBytes: 1024 * 1024, ageMs: 90 * 86_400_000 });
}

/** Every ms that lies in one of them, as a plain set. */
function msOf(spans: readonly Span[]): number[] {
  const all = new Set<number>();
  for (const { fromMs, toMs } of spans) for (let at = fromMs; at <= toMs; at++) all.add(at);
  return [...all].sort((a, b) => a - b);
}

const span = fc
  .tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20 }))
  .map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length }));

test('what any process saw is put together, in whatever order it is told, by several at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(span, { maxLength: 12 }), fc.integer({ min: 0, max: 320 }), async (spans, since) => {
      await server.current.redis.flushall();
      const [one, other] = [open(), open()];
      await Promise.all(spans.map((seen, i) => (i % 2 === 0 ? one : other).addOutage(TARGET, seen)));
      const kept = await one.outagesSince(TARGET, -1);
      // One that lasts no time takes nothing from a silence.
      expect(msOf(kept)).toEqual(msOf(spans.filter(({ fromMs, toMs }) => fromMs < toMs)));
      for (const [i, { fromMs }] of kept.entries()) if (i > 0) expect(fromMs).toBeGreaterThan(kept[i - 1]?.toMs ?? 0);
      expect(await one.outagesSince(TARGET, since)).toEqual(kept.filter(({ toMs }) => toMs > since));
    }),
    { numRuns: 20 },
  );
});

test('the newest 256 stay, and each target has its own', async () => {
  const ledger = open();
  for (let i = 0; i < 300; i++) await ledger.addOutage(TARGET, { fromMs: 10 * i, toMs: 10 * i + 5 });
  const kept = await ledger.outagesSince(TARGET, 0);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([256, { fromMs: 440, toMs: 445 }, { fromMs: 2990, toMs: 2995 }]);
  expect(await ledger.outagesSince({ ...TARGET, name: 'staging' }, 0)).toEqual([]);
});

test('a span that lasts no time, or ends before it begins, is none', async () => {
  for (const toMs of [4, 5]) await open().addOutage(TARGET, { fromMs: 5, toMs });
  expect(await server.current.redis.dbsize()).toBe(0);
});

test('what is damaged is told as that, and replaced by the next', async () => {
  for (const damaged of [Buffer.alloc(0), randomBytes(3), randomBytes(25)]) {
    await server.current.redis.set(KEY, damaged);
    await expect(open().outagesSince(TARGET, 0)).rejects.toThrow(DamagedBlock);
    await open().addOutage(TARGET, { fromMs: 1, toMs: 2 });
    expect(await open().outagesSince(TARGET, 0)).toEqual([{ fromMs: 1, toMs: 2 }]);
  }
});

const NOW_MS = 1_800_000_000_000;

test('a run waits for whoever should have looked by now, and knows then of the outage that kept them from it (P10)', async () => {
  const ledger = open();
  await ledger.noteWatched(TARGET, NOW_MS - 90_000);
  const known = outagesOf(ledger, TARGET, NOW_MS);
  const outage = { fromMs: NOW_MS - 90_000, toMs: NOW_MS + 500 };
  await ledger.addOutage(TARGET, outage);
  await ledger.noteWatched(TARGET, NOW_MS + 500);
  expect(await known).toEqual([{ fromAt: outage.fromMs, toAt: outage.toMs }]);
});

test('nobody waits where nobody looks, or just did, or the target does not ask; nor once told to end', async () => {
  const ledger = open();
  const asked = vi.spyOn(ledger, 'watchedAt');
  const timesAsked = async (...args: Parameters<typeof outagesOf>): Promise<number> => {
    asked.mockClear();
    expect(await outagesOf(...args)).toEqual([]);
    return asked.mock.calls.length;
  };
  expect(await timesAsked(ledger, TARGET, NOW_MS)).toBe(1);
  await ledger.noteWatched(TARGET, NOW_MS - 2_500);
  expect(await timesAsked(ledger, TARGET, NOW_MS)).toBe(1);
  await ledger.noteWatched(TARGET, NOW_MS - 90_000);
  expect(await timesAsked(ledger, { ...TARGET, restartGrace: false }, NOW_MS)).toBe(0);
  expect(await timesAsked(ledger, TARGET, NOW_MS, AbortSignal.abort())).toBe(1);
  await ledger.forgetWatched(TARGET);
  expect(await timesAsked(ledger, TARGET, NOW_MS)).toBe(1);
});

test('who was killed while it looked is waited for once', async () => {
  const ledger = open();
  await ledger.noteWatched(TARGET, NOW_MS - 90_000);
  expect(await outagesOf(ledger, TARGET, NOW_MS)).toEqual([]);
  expect(await ledger.watchedAt(TARGET)).toBeNull();
});

/** What other deployments mean by that name. */
const OTHERS = [
  { ...TARGET, url: 'redis://there:6379' },
  { ...TARGET, url: `${TARGET.url}/1` },
  { ...TARGET, id: 'another' },
];

test("an outage of another target of the same name is nobody else's; what an older version noted under that name is everybody's", async () => {
  const ledger = open();
  const at = (i: number): Span => ({ fromMs: 1_000 * i, toMs: 1_000 * i + 500 });
  const [own, others, older] = [at(0), at(1), at(2)];
  await ledger.addOutage(TARGET, own);
  for (const other of OTHERS) await ledger.addOutage(other, others);
  expect(await ledger.outagesSince(TARGET, -1)).toEqual([own]);
  expect(await ledger.outagesSince({ ...TARGET, url: 'redis://user:secret@HERE/0' }, -1)).toEqual([own]);
  await ledger.addOutage({ ...TARGET, url: 'redis://old:6379' }, older);
  const { redis } = server.current;
  await redis.rename(`{stalesweep}:ledger:${outagesName({ ...TARGET, url: 'redis://old:6379' })}`, OLDER_KEY);
  expect(await ledger.outagesSince(TARGET, -1)).toEqual([own, older]);
  for (const other of OTHERS) expect(await ledger.outagesSince(other, -1)).toEqual([others, older]);
});

test('by who looks at another target of the same name nobody goes', async () => {
  const ledger = open();
  await ledger.noteWatched(TARGET, NOW_MS - 90_000);
  for (const other of OTHERS) {
    await ledger.noteWatched(other, NOW_MS);
    expect(await ledger.watchedAt(TARGET)).toBe(NOW_MS - 90_000);
    await ledger.forgetWatched(other);
  }
  expect(await ledger.watchedAt({ ...TARGET, url: 'redis://user:secret@HERE/0' })).toBe(NOW_MS - 90_000);
});
