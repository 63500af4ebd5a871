import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RunFollower } from '../../src/ledger/recording/followRun.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, beat, everythingOf, nowOf, STALE, settle, writeAll } from '../support/world.ts';
import { ledgerIn, reportOf, runOf, unexpected } from './story.ts';

const server = useRedis();
const HUGE = 40_000;

/** A run that is recorded. */
async function cleanRecorded(run: string, before?: (name: string) => unknown) {
  const { redis, url } = server.current;
  const { families } = targetOf(url).schema;
  const ledger = ledgerIn(redis);
  const recorder = ledger.record({ ...runOf(run), families }, unexpected);
  await recorder.begin();
  const follower = new RunFollower(recorder);
  const report = await clean(url, {
    run,
    observer: follower.observer,
    ...(before === undefined ? {} : { before }),
  });
  await recorder.end({ outcome: report.outcome, report });
  const find = async (id: string) => (await ledger.find(Buffer.from(id), { limit: 5 })).swept;
  return { report, find, families };
}

describe('a run that is followed', () => {
  test('leaves in the ledger who was swept and what of theirs, and nobody else', async () => {
    const { redis } = server.current;
    for (let i = 0; i < 30; i++) await settle(redis, `dead-${i}`, STALE + 100 + i);
    for (let i = 0; i < 5; i++) await settle(redis, `living-${i}`, ACTIVE);
    const { report, find, families } = await cleanRecorded('1');
    expect(report.coordinators).toMatchObject({ swept: 30, active: 5 });
    const byFamily = new Map<string, number>(families.map((family) => [family, 0]));
    for (let i = 0; i < 30; i++) {
      const [once, ...more] = await find(`dead-${i}`);
      expect(more).toEqual([]);
      expect(once).toMatchObject({ fate: 'swept', swarm: Uint8Array.from(Buffer.from('s1')), batch: { run: '1' } });
      expect(once?.silenceSeconds).toBeGreaterThanOrEqual(STALE + 100 + i - 1);
      for (const [at, family] of families.entries()) {
        byFamily.set(family, (byFamily.get(family) ?? 0) + (once?.keysByFamily?.[at] ?? 0));
      }
    }
    expect(Object.fromEntries(byFamily)).toEqual(report.keys.byFamily);
    for (let i = 0; i < 5; i++) expect(await find(`living-${i}`)).toEqual([]);
  });

  test('stands there with everybody who is to go before anything of theirs goes; who beats again is left out', async () => {
    const { redis } = server.current;
    for (const id of ['dead', 'back']) await settle(redis, id, STALE + 100);
    let looked = 0;
    const { report, find } = await cleanRecorded('1', async (name) => {
      if (!name.startsWith('eval') || looked++ > 0) return;
      for (const id of ['dead', 'back']) {
        const { swept } = await ledgerIn(redis).find(Buffer.from(id), { limit: 5 });
        expect(swept.map(({ fate }) => fate)).toEqual(['unknown']);
      }
      const [heartbeat = ''] = everythingOf('back');
      await redis.set(heartbeat, beat(await nowOf(redis), 'back'));
    });
    expect(looked).toBeGreaterThan(0);
    expect(report.coordinators).toMatchObject({ swept: 1, revived: 1 });
    expect((await find('dead')).map(({ fate }) => fate)).toEqual(['swept']);
    expect(await find('back')).toEqual([]);
  });

  test('adds up what went of somebody in several calls', async () => {
    const { redis } = server.current;
    await settle(redis, 'huge', STALE + 100);
    await writeAll(
      redis,
      Object.fromEntries(Array.from({ length: HUGE }, (_, i) => [`blocking:ack:huge:more-${i}`, '1'])),
    );
    const { report, find, families } = await cleanRecorded('1');
    expect(report.chunks).toBeGreaterThan(1);
    const [once] = await find('huge');
    expect(Object.fromEntries(families.map((family, at) => [family, once?.keysByFamily?.[at]]))).toEqual(
      report.keys.byFamily,
    );
  });
});

test('with `detail: keys`, the names stand there before anything goes, and after it just those that went', async () => {
  const { redis, url } = server.current;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 40 }),
      fc.constantFrom(undefined, 2_000),
      async (coordinators, memoryBudgetBytes) => {
        await redis.flushall();
        const had = new Map<string, string[]>();
        const at = (await nowOf(redis)) - (STALE + 100) * 1000;
        const world: Record<string, string> = {};
        for (const [i, has] of coordinators.entries()) {
          const [heartbeat = '', ...others] = everythingOf(`dead-${i}`);
          const names = [heartbeat, ...others.filter((_, n) => has[n])];
          for (const name of names) world[name] = name === heartbeat ? beat(at, `dead-${i}`) : '1';
          had.set(`dead-${i}`, names.sort());
        }
        await writeAll(redis, world);
        const { families } = targetOf(url).schema;
        const ledger = new Ledger(redis, '{stalesweep}', { sizeBytes: 2 ** 26, ageMs: 1e9, detail: 'keys' });
        const recorder = ledger.record({ ...runOf('1'), families }, unexpected);
        await recorder.begin();
        const follower = new RunFollower(recorder);
        const namesOf = async (id: string) => {
          const { swept } = await ledger.find(Buffer.from(id), { limit: 5 });
          expect(swept).toHaveLength(1);
          return (swept[0]?.names ?? []).map((name) => Buffer.from(name).toString()).sort();
        };
        let looked = 0;
        const report = await clean(url, {
          ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }),
          observer: follower.observer,
          before: async (name) => {
            // Whatever is found in one pass stands there ahead of the removal.
            if (!name.startsWith('eval') || looked++ > 0 || memoryBudgetBytes !== undefined) return;
            for (const [id, names] of had) expect(await namesOf(id)).toEqual(expect.arrayContaining(names));
          },
        });
        await recorder.end({ outcome: report.outcome, report });
        expect(report.coordinators.swept).toBe(had.size);
        for (const [id, names] of had) expect(await namesOf(id)).toEqual(names);
      },
    ),
    { numRuns: 4 },
  );
}, 60_000);

test('names take no more than their share of a small ledger, whoever has how many', async () => {
  const { redis, url } = server.current;
  await settle(redis, 'huge', STALE + 100);
  await settle(redis, 'other', STALE + 100);
  const world = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`blocking:ack:huge:more-${i}`, '1']));
  await writeAll(redis, world);
  const { families } = targetOf(url).schema;
  const ledger = new Ledger(redis, '{stalesweep}', { sizeBytes: 2 ** 20, ageMs: 1e9, detail: 'keys' });
  const recorder = ledger.record({ ...runOf('1'), families }, unexpected);
  await recorder.begin();
  const follower = new RunFollower(recorder);
  const report = await clean(url, {
    observer: follower.observer,
  });
  await recorder.end({ outcome: report.outcome, report });
  const [huge] = (await ledger.find(Buffer.from('huge'), { limit: 1 })).swept;
  const ack = families.indexOf('ack');
  expect(huge?.keysByFamily?.[ack]).toBe(20_002);
  expect(huge?.names?.length).toBeGreaterThan(5_000);
  expect(huge?.names?.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(2 ** 18);
  const [other] = (await ledger.find(Buffer.from('other'), { limit: 1 })).swept;
  expect(other).toMatchObject({ fate: 'swept' });
  expect(Number(await redis.get('{stalesweep}:ledger:bytes'))).toBeLessThan(2 ** 20);
});

test('with the names of keys, too, a ledger of 1 MB takes no more than 1.1, and the oldest go first', async () => {
  const { redis } = server.current;
  const ledger = new Ledger(redis, '{stalesweep}', { sizeBytes: 2 ** 20, ageMs: 1e12, detail: 'keys' });
  const takenBytes = async () => {
    const keys = await redis.keys('*');
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
  };
  for (const run of ['first', 'second', 'third', 'last']) {
    const recorder = ledger.record({ ...runOf(run) }, unexpected);
    await recorder.begin();
    const follower = new RunFollower(recorder);
    const going = Array.from({ length: 700 }, (_, i) => {
      const names = Array.from({ length: 6 }, () => randomBytes(150));
      const coordinator = Buffer.from(`${run}-${i}`);
      const beat = { beatAtSeconds: 1_760_000_000, silentSeconds: 700, lapsed: false };
      return { coordinator, swarm: null, ...beat, swept: true, keys: [1, 1, 1, 1, 1, 1], names: () => names };
    });
    await follower.condemn(going);
    follower.removed({ removals: going, names: () => [] });
    await recorder.end({ outcome: 'completed', report: reportOf(run, 'default', going.length) });
    expect(await takenBytes()).toBeLessThanOrEqual(1.1 * 2 ** 20);
  }
  const timesOf = async (id: string) => (await ledger.find(Buffer.from(id), { limit: 2 })).swept;
  expect(await timesOf('first-1')).toEqual([]);
  const [newest] = await timesOf('last-699');
  expect(newest).toMatchObject({ fate: 'swept' });
  expect(newest?.names?.map(({ length }) => length)).toEqual(Array(6).fill(150));
});
