import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { silenceOf, standingOf } from '../../src/domain/standing.ts';
import { openQueues, type Queues } from '../../src/queue/queues.ts';
import { Stopwatch } from '../../src/redis/call/stopwatch.ts';
import { lookAt } from '../../src/redis/keyspace/look.ts';
import { openTarget } from '../../src/redis/target/openContact.ts';
import type { Unreachable } from '../../src/status/reach.ts';
import { StatusReader, type TargetStatus } from '../../src/status/status.ts';
import { ledgerIn, noteRun, type PastOptions } from '../support/pastRuns.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let queues: Queues;
beforeAll(async () => {
  redis = await startRedis();
  queues = await openQueues(redis.url, { onError: () => {}, onReady: () => {} });
});
afterAll(async () => {
  await queues?.close();
  await redis?.stop();
});
beforeEach(async () => {
  await redis.redis.flushall();
});

function configFor(text = '') {
  return resolveConfig({}, { REDIS_URL: redis.url }, { name: 'x.yaml', text });
}

function setUp(text?: string) {
  const config = configFor(text);
  const ledger = ledgerIn(queues.connection);
  const reader = new StatusReader({ config, queues, ledger });
  const target = config.targets.get('default');
  if (target === undefined) throw new Error('there is always one');
  const note = async (options?: PastOptions) => await noteRun(ledger, target, options);
  const read = async (unreachable?: Unreachable): Promise<TargetStatus> => {
    const [status] = (await reader.read(unreachable)).targets;
    if (status === undefined) throw new Error('there is always one');
    return status;
  };
  return { config, ledger, reader, target, note, read };
}

it('tells nothing of coordinators before a run has counted them, and everything once one has', async () => {
  const { note, read } = setUp();
  expect(await read()).toMatchObject({ coordinators: null, silence: null, asOfMs: null, look: null });
  const silence = [5, 0, 0, 0, 0, 1, 0, 2, 0, 0, 3];
  const run = await note({
    coordinators: { checked: 12, active: 8, stale: 3, unreadable: 1, swept: 2, revived: 1 },
    silence,
    swept: ['a', 'b'],
  });
  const status = await read();
  // Whom the run swept is gone, and who revived lives.
  expect(status.coordinators).toEqual({ active: 9, atRisk: 3, stale: 0, unreadable: 1, held: 0, protected: 0 });
  expect(status.silence).toEqual([6, ...silence.slice(1, -1), 0]);
  expect(status.past.last?.run).toBe(run);
  expect(status.past.runs).toMatchObject([{ run, swept: 2, durationMs: 1_234, outcome: 'completed' }]);
});

it('goes by the last run that saw all coordinators of this very target, whatever ran since', async () => {
  const { note, read } = setUp();
  const pass = await note({ coordinators: { active: 7 } });
  await note({ outcome: 'failed', reason: 'it was down' });
  await note({ outcome: 'stopped', coordinators: { active: 1 } });
  await note({ pass: 'due', coordinators: { active: 1 } });
  await note({ pass: 'none', coordinators: { active: 0 } });
  const other = setUp('targets: { default: { url: "redis://127.0.0.1:1" } }');
  const elsewhere = resolveConfig({}, {}, { name: 'x', text: 'targets: { default: { url: "redis://127.0.0.1:1" } }' });
  const there = elsewhere.targets.get('default');
  if (there !== undefined) await noteRun(other.ledger, there, { coordinators: { active: 99 } });
  const status = await read();
  expect(status.past.pass?.run).toBe(pass);
  expect(status.coordinators?.active).toBe(7);
});

it('finds the last run that saw all, and the last that removed anything, behind any number that needed no look', async () => {
  const { note, read } = setUp();
  const pass = await note({ coordinators: { active: 7 }, swept: ['a'] });
  const dayLater = setUp();
  // Read by one who begins only then, of whose last hundred runs it is none.
  for (let i = 0; i < 100; i++) await note({ pass: 'none' });
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 2 * 86_400_000);
  try {
    const { past, coordinators } = await dayLater.read();
    expect([past.pass?.run, past.sweep?.run, coordinators?.active]).toEqual([pass, pass, 7]);
  } finally {
    vi.restoreAllMocks();
  }
  expect((await read()).past.pass?.run).toBe(pass);
});

it('reads on only what is new, however runs end, and forgets what was emptied', async () => {
  const { note, read } = setUp();
  const outcomes = ['completed', 'failed', 'refused', 'stopped'] as const;
  const noted: string[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...outcomes), { minLength: 1, maxLength: 4 }), async (some) => {
      for (const outcome of some) noted.push(await note({ outcome }));
      const { past } = await read();
      expect(past.runs.map(({ run }) => run).toSorted()).toEqual(noted.slice(-100).toSorted());
      expect(past.last?.outcome).toBe(some.at(-1));
    }),
    { numRuns: 10 },
  );
  await redis.redis.flushall();
  expect((await read()).past).toMatchObject({ runs: [], last: null, pass: null });
});

it('says what needs a person', async () => {
  const { note, read, reader, ledger, target } = setUp();
  const words = async () => (await read()).troubles.map(({ word }) => word);
  expect((await reader.read()).troubles.map(({ word }) => word)).toEqual(['No worker']);
  await note({
    coordinators: { active: 400, stale: 0, held: 600 },
    held: { since: '2026-01-01T14:00:00.000Z', until: '2026-01-01T14:20:00.000Z' },
  });
  const [held] = (await read()).troubles;
  expect(held?.sentence).toBe(
    '600 of 1,000 coordinators have fallen silent together since 2026-01-01T14:00:00Z. The first go at 2026-01-01T14:20:00Z if they stay silent.',
  );
  await note({ coordinators: { active: 1_000 } });
  expect(await words()).toEqual([]);
  for (let i = 0; i < 3; i++) await note({ outcome: 'failed', reason: 'connection refused' });
  expect((await read()).troubles).toMatchObject([{ word: 'Failing', grave: true }]);
  expect((await read()).troubles[0]?.sentence).toMatch(
    /^The last 3 runs failed since [-0-9]{10}T[:0-9]{8}Z: connection refused\.$/,
  );
  await note({ outcome: 'refused', reason: 'more than maxStale' });
  expect(await words()).toEqual(['Refused']);
  await ledger.addOutage(target, { fromMs: Date.now() - 60_000, toMs: Date.now() - 50_000 });
  expect(await words()).toEqual(['Refused', 'Outage']);
  expect(
    (await read(new Map([['default', { answers: false, why: 'it is gone' }]]))).troubles.map(({ word }) => word),
  ).toContain('Out of reach');
});

it('shows a run in progress as its worker tells of it, until it has ended', async () => {
  const { read } = setUp();
  const job = await queues.runs.add('cleanup', { target: 'default', dryRun: true });
  expect((await read()).underWay).toMatchObject({ run: job.id, state: 'waiting', dryRun: true, progress: null });
  const progress = { phase: 'sweep', percent: 64, checked: 10, stale: 4, swept: 2, keys: 12 };
  await job.updateProgress(progress);
  expect((await read()).underWay?.progress).toEqual(progress);
  await job.updateProgress({ phase: 'sweep', percent: 'much' });
  expect((await read()).underWay?.progress).toBeNull();
  await job.remove();
  expect((await read()).underWay).toBeNull();
});

it('counts all keys of a small target by family, with what they take', async () => {
  const { target } = setUp();
  for (const id of ['a', 'b', 'c']) {
    await redis.redis.set(`swarm:s:blocking:heartbeat:${id}`, '{"timestamp": 1}');
    await redis.redis.set(`blocking:ack:${id}:x`, 'y'.repeat(1_000));
  }
  await redis.redis.set('foreign', 1);
  const opened = await openTarget(
    target,
    { dryRun: true, signal: AbortSignal.timeout(60_000), warn: () => {} },
    new Stopwatch(),
  );
  const { complete, families } = await lookAt(opened, new AbortController().signal);
  opened.close();
  const named = Object.fromEntries(target.schema.families.map((name, i) => [name, families[i]]));
  expect(complete).toBe(true);
  expect(Object.values(named).map((family) => family?.keys)).toEqual([3, 0, 3, 0, 0, 0]);
  expect(named.ack?.bytes).toBeGreaterThan(3_000);
  expect(named.signal).toEqual({ keys: 0, bytes: 0 });
});

it('never counts more at risk than are active, nor fewer than nobody in any state, and as many by silence as can be judged', () => {
  const count = fc.nat(1_000);
  const counts = fc.record({
    active: count,
    unreadable: count,
    held: count,
    protected: count,
    swept: count,
    revived: count,
  });
  fc.assert(
    fc.property(counts, count, fc.array(count, { minLength: 11, maxLength: 11 }), (some, more, silence) => {
      const stale = some.swept + some.revived + more;
      const coordinators = { ...some, stale, checked: 0, lapsed: 0 };
      const standing = standingOf({ coordinators, silence });
      expect(standing.atRisk).toBeLessThanOrEqual(standing.active);
      expect(standing.stale).toBe(more);
      expect(Math.min(...Object.values(standing))).toBeGreaterThanOrEqual(0);
      const within = silence.slice(0, -1).map((n) => n % 100);
      const active = within.reduce((sum, n) => sum + n, 0);
      const report = {
        coordinators: { ...coordinators, active },
        silence: [...within, stale + some.held + some.protected],
      };
      const now = standingOf(report);
      const judged = now.active + now.stale + now.held + now.protected;
      const left = silenceOf(report) ?? [];
      expect(left.reduce((sum, n) => sum + n, 0)).toBe(judged);
      expect(left.slice(5, -1).reduce((sum, n) => sum + n, 0)).toBe(now.atRisk);
    }),
  );
});
