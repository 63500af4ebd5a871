/** A target's horizon in the ledger, and the runs that went by it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Horizon } from '../../src/domain/horizon.ts';
import type { Report } from '../../src/domain/report.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { pastOf } from '../../src/ledger/targets/past.ts';
import { useRedis } from '../support/leaks.ts';
import { reportOf } from './story.ts';

const server = useRedis();
const BOUNDS = { sizeBytes: 64_000_000, ageMs: 90 * 86_400_000 };
function open() {
  return new Ledger(server.current.redis, '{stalesweep}', BOUNDS);
}
const KEY = '{stalesweep}:ledger:horizon/default';

const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
const horizons: fc.Arbitrary<Horizon> = fc.record({
  basis: fc.string(),
  beganSeconds: seconds,
  lookedSeconds: seconds,
  restSeconds: seconds,
  ttlSeconds: fc.option(seconds),
  sighted: fc.boolean(),
  keys: fc.nat(),
  listed: fc.array(fc.record({ key: fc.uint8Array({ maxLength: 300 }), sinceSeconds: seconds }), { maxLength: 1_000 }),
});
function plain(horizon: Horizon | null) {
  return (
    horizon && {
      ...horizon,
      listed: horizon.listed.map((one) => ({ ...one, key: Buffer.from(one.key).toString('hex') })),
    }
  );
}

test('what a pass leaves is what the next run finds, whatever names hold, and of its own target alone', async () => {
  await fc.assert(
    fc.asyncProperty(horizons, fc.boolean(), async (horizon, gone) => {
      const ofDefault = open().horizonsOf('default');
      await ofDefault.keep(horizon);
      expect(plain(await open().horizonsOf('default').standing())).toEqual(plain(horizon));
      expect(await open().horizonsOf('other').standing()).toBeNull();
      if (gone) await ofDefault.keep(null);
      if (gone) expect(await ofDefault.standing()).toBeNull();
    }),
    { numRuns: 30 },
  );
});

test('one that is damaged, or of another form, is none; and is replaced', async () => {
  const { redis } = server.current;
  const ofDefault = open().horizonsOf('default');
  const [one] = fc.sample(horizons, 1);
  for (const damage of ['', 'x', 'x'.repeat(500)]) {
    await ofDefault.keep(one ?? null);
    expect(await ofDefault.standing()).not.toBeNull();
    await redis.set(KEY, damage);
    expect(await ofDefault.standing()).toBeNull();
  }
  await ofDefault.keep(one ?? null);
  expect(plain(await ofDefault.standing())).toEqual(plain(one ?? null));
});

test('an outage that ended after the pass began is told, also while the ledger can not be read', async () => {
  const ofDefault = open().horizonsOf('default');
  await open().addOutage('default', { fromMs: 1_000, toMs: 5_000 });
  expect([await ofDefault.outageSince(4_999), await ofDefault.outageSince(5_000)]).toEqual([true, false]);
  await server.current.redis.set('{stalesweep}:ledger:outages/default', 'x');
  expect(await ofDefault.outageSince(5_000)).toBe(true);
});

test('runs that looked at few or nobody stand in the history, and are no past to compare with (P12)', async () => {
  const ledger = open();
  const run = async (id: string, report: Partial<Report>) => {
    const identity = { target: 'default', fingerprint: 'f', trigger: 'schedule', by: null, dryRun: false } as const;
    const recorder = ledger.record({ run: id, families: [], ...identity }, () => {});
    await recorder.begin();
    await recorder.end({ outcome: 'completed', report: { ...reportOf(id, 'default', 0), ...report } });
  };
  const active = (count: number) => ({ coordinators: { ...reportOf('1', 'default', 0).coordinators, active: count } });
  await run('full', { pass: 'full', ...active(1_000) });
  for (let n = 0; n < 320; n++) await run(`none-${n}`, { pass: n % 9 === 0 ? 'due' : 'none', ...active(0) });
  expect(await pastOf(ledger, 'default', 'f')).toEqual({ active: 1_000, heldSinceAt: null });
  const names = async (query: object) =>
    (await ledger.history({ target: 'default', limit: 400, ...query })).runs.map((one) => one.run);
  expect(await names({})).toHaveLength(321);
  expect(await names({ outcome: 'completed', removed: false })).toHaveLength(321);
  expect(await names({ fullPass: true })).toEqual(['full']);
});
