/** A target's horizon in the ledger, and the runs that went by it. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Horizon } from '../../src/domain/horizon.ts';
import type { Report } from '../../src/domain/report.ts';
import { AGELESS_MS } from '../../src/ledger/ages.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { horizonName, outagesName, sharedName } from '../../src/ledger/runs/names.ts';
import { pastOf } from '../../src/ledger/targets/past.ts';
import { useRedis } from '../support/leaks.ts';
import { blocksIn, reportOf } from './story.ts';

const server = useRedis();
const BOUNDS = { sizeBytes: 64_000_000, ageMs: 90 * 86_400_000 };
function open() {
  return new Ledger(server.current.redis, '{stalesweep}', BOUNDS);
}

const NONE = { families: [], heartbeat: { text: 'beat:{coordinator}' }, templates: [] };
const DEFAULT = { name: 'default', url: 'redis://here:6379', schema: NONE };
/** What other deployments, or an earlier configuration, mean by that name; and another target at the same place. */
const OTHERS = [
  { ...DEFAULT, url: 'redis://there:6379' },
  { ...DEFAULT, id: 'elsewhere' },
  { ...DEFAULT, schema: { ...NONE, heartbeat: { text: '{coordinator}:beat' } } },
  { ...DEFAULT, name: 'other' },
];
const KEY = `{stalesweep}:ledger:${horizonName(DEFAULT)}`;

const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
const horizons: fc.Arbitrary<Horizon> = fc.record({
  basis: fc.string(),
  beganSeconds: seconds,
  lookedSeconds: seconds,
  restSeconds: seconds,
  ttlSeconds: fc.option(seconds),
  ttlSeenSeconds: seconds,
  sighted: fc.boolean(),
  keys: fc.nat(),
  expiring: fc.nat(),
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

test('what a pass leaves is what the next run finds, whatever names hold, and of its own Redis and schema alone', async () => {
  await fc.assert(
    fc.asyncProperty(horizons, fc.boolean(), async (horizon, gone) => {
      const ofDefault = open().horizonsOf(DEFAULT);
      await ofDefault.keep(horizon);
      expect(plain(await open().horizonsOf(DEFAULT).standing())).toEqual(plain(horizon));
      for (const other of OTHERS) {
        const ofOther = open().horizonsOf(other);
        expect(await ofOther.standing()).toBeNull();
        await ofOther.keep(null);
      }
      expect(await ofDefault.standing()).not.toBeNull();
      if (gone) await ofDefault.keep(null);
      if (gone) expect(await ofDefault.standing()).toBeNull();
    }),
    { numRuns: 30 },
  );
});

test('what was ended while a run went on stays so: neither a full pass that began before puts its own there, nor a run that looked at nobody', async () => {
  const [one = null] = fc.sample(horizons, 1);
  const another = () => open().horizonsOf(DEFAULT);
  for (const before of [null, one]) {
    await another().keep(before);
    const ofRun = another();
    expect(plain(await ofRun.standing())).toEqual(plain(before));
    // As whoever brings back heartbeats does, or sees that a clock was put back.
    await another().keep(null);
    await ofRun.keep(one);
    expect(await another().standing()).toBeNull();
  }
  const next = another();
  await next.standing();
  await next.keep(one);
  await next.keep(one);
  expect(plain(await another().standing())).toEqual(plain(one));
});

test('one that is damaged, or of another form, is none; and is replaced', async () => {
  const { redis } = server.current;
  const ofDefault = open().horizonsOf(DEFAULT);
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

test('what an older version kept for all that are called alike goes, since it would never age', async () => {
  const name = sharedName('horizon', DEFAULT);
  const blocks = blocksIn(server.current.redis);
  await blocks.write(name, Buffer.from('older'), { atMs: AGELESS_MS });
  await open().horizonsOf(DEFAULT).keep(null);
  expect(await blocks.last([{ from: 'horizon/' }], 9)).toMatchObject([[{ name: horizonName(DEFAULT) }]]);
  expect(await server.current.redis.exists(blocks.keyOf(name))).toBe(0);
});

test('those of addresses that nobody means any more make room for what comes', async () => {
  const bounds = { ...BOUNDS, sizeBytes: 100_000 };
  const ledger = new Ledger(server.current.redis, '{stalesweep}', bounds);
  const at = (n: number) => ledger.horizonsOf({ ...DEFAULT, url: `redis://address-${n}:6379` });
  const [one] = fc.sample(horizons, 1);
  const listed = Array.from({ length: 100 }, () => ({ key: randomBytes(100), sinceSeconds: 1 }));
  for (let n = 0; n < 20; n++) await at(n).keep(one === undefined ? null : { ...one, listed });
  expect(await at(0).standing()).toBeNull();
  expect(await at(19).standing()).not.toBeNull();
});

test('an outage that ended after the pass began is told, also while the ledger can not be read', async () => {
  const ofDefault = open().horizonsOf(DEFAULT);
  await open().addOutage(DEFAULT, { fromMs: 1_000, toMs: 5_000 });
  expect([await ofDefault.outageSince(4_999), await ofDefault.outageSince(5_000)]).toEqual([true, false]);
  await server.current.redis.set(`{stalesweep}:ledger:${outagesName(DEFAULT)}`, 'x');
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
