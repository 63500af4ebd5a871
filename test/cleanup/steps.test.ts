/** How much a run looks through where one has very much: in counts and not in time. Each of these once grew with the product of two
 *  numbers, as heartbeats times keys, and held everything else up for seconds. */
import { afterEach, expect, test, vi } from 'vitest';
import { spellersOf } from '../../src/cleanup/ownership/spellers.ts';
import { Verdicts } from '../../src/cleanup/ownership/verdict.ts';
import { PartNames } from '../../src/ledger/recording/partNames.ts';
import { Speller } from '../../src/redis/call/speller.ts';
import { KeyReader } from '../../src/schema/keyReader.ts';
import { HeldKeys } from '../../src/store/heldKeys.ts';
import { BeatState } from '../../src/store/records.ts';
import { Store } from '../../src/store/store.ts';
import { foundOf, proofFor, sliceOf } from '../store/entries.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { nowOf } from '../support/world.ts';

const server = useRedis();
const KEYS = 600;
const WRITE = `
for n = 1, tonumber(ARGV[1]) do
  redis.call('SET', 'swarm:s' .. n .. ':blocking:heartbeat:leader', '{"timestamp":' .. ARGV[2] .. '}')
end
for n = 1, tonumber(ARGV[3]) do redis.call('SET', 'blocking:ack:leader:' .. n, '1') end`;

async function writeRole(swarms: number): Promise<void> {
  const { redis } = server.current;
  await redis.flushall();
  await redis.eval(WRITE, 0, swarms, (await nowOf(redis)) - 3_600_000, KEYS);
}

afterEach(() => vi.restoreAllMocks());

test('the keys of a role are looked at once or twice, in however many calls its heartbeats go', async () => {
  const swarms = 2_400;
  await writeRole(swarms);
  const looks = vi.spyOn(HeldKeys.prototype, 'nameOf');
  const report = await clean(server.current.url, { settings: { schema: 'swarm' } });
  expect(report).toMatchObject({ coordinators: { swept: swarms }, keys: { deleted: swarms + KEYS } });
  expect(looks.mock.calls.length).toBeLessThan(3 * KEYS);
  expect(await server.current.redis.dbsize()).toBe(0);
});

test('the keys of a role are named with one of its heartbeats, and not with each', async () => {
  const swarms = 100;
  await writeRole(swarms);
  let named = 0;
  const report = await clean(server.current.url, {
    settings: { schema: 'swarm' },
    observer: {
      condemn: async (next) => {
        for (const one of next) for (const _ of one.names()) named++;
      },
    },
  });
  expect(report.keys.deleted).toBe(swarms + KEYS);
  // Beside its keys: its heartbeats, and what follows from its names.
  expect(named).toBeGreaterThanOrEqual(swarms + KEYS);
  expect(named).toBeLessThan(KEYS + 6 * swarms);
});

test('no more names are told at once than were asked for, but for those of one', async () => {
  const { redis, url } = server.current;
  await redis.flushall();
  const coordinators = 200;
  const acks = 20;
  const timestamp = (await nowOf(redis)) - 3_600_000;
  for (let n = 0; n < coordinators; n++) {
    const ids = Array.from({ length: acks }, (_, ack) => [`blocking:ack:c${n}:${ack}`, '1']);
    await redis.mset(`blocking:heartbeat:c${n}`, JSON.stringify({ timestamp }), ...ids.flat());
  }
  const told: number[] = [];
  const report = await clean(url, {
    settings: { schema: 'flat' },
    observer: {
      namesAtOnce: 500,
      condemn: async (next) => {
        let names = 0;
        for (const one of next) for (const _ of one.names()) names++;
        told.push(names);
      },
    },
  });
  expect(report.coordinators.swept).toBe(coordinators);
  expect(Math.max(...told)).toBeLessThan(500 + acks + 10);
});

test('whose heartbeats went by the thousand is not looked through anew for each of its keys', () => {
  const { schema } = targetOf('redis://127.0.0.1:1', { schema: 'swarm' });
  const store = new Store(schema);
  const swarms = 3_000;
  for (let n = 0; n < swarms; n++) store.enterStale(foundOf('leader', `s${n}`), 1, proofFor(1, 'x'));
  const leader = store.idOf(Buffer.from('leader'), 0, 6);
  const [, ...others] = [...store.beatsOf(leader)].toReversed();
  for (const beat of others) store.become(beat, BeatState.gone);
  const steps = vi.spyOn(store, 'nextBeat');
  const verdicts = new Verdicts({
    store,
    reader: new KeyReader(schema),
    spellers: spellersOf(schema),
    isProtected: null,
  });
  const judge = () => verdicts.of(Buffer.from(`blocking:ack:leader:${steps.mock.calls.length}`));
  for (let n = 0; n < KEYS; n++) expect(judge()).toBe('go');
  expect(steps.mock.calls.length).toBeLessThan(swarms + 3 * KEYS);
  // Who is added later stands before all that was looked through.
  store.become(store.beatOf(sliceOf('leader'), sliceOf('s0')), BeatState.gone);
  expect(judge()).toBe('keep');
  store.enterStale(foundOf('leader', 'new'), 1, proofFor(1, 'x'));
  expect(judge()).toBe('go');
});

test('names of one that went with many calls are copied once', () => {
  const names = new PartNames(1_000_000);
  const who = { coordinator: Buffer.from('c1'), swarm: null };
  const copies = vi.spyOn(Uint8Array, 'from');
  for (let call = 0; call < 50; call++)
    names.keep(
      who,
      Array.from({ length: 20 }, (_, n) => Buffer.from(`k${call}:${n}`)),
    );
  const all = names.take(who, [Buffer.from('last')]);
  expect(all.map((name) => Buffer.from(name).toString()).slice(-2)).toEqual(['k49:19', 'last']);
  expect(all).toHaveLength(50 * 20 + 1);
  expect(copies.mock.calls.length).toBe(50 * 20 + 1);
  expect(names.take(who, [])).toEqual([]);
});

test('names of one stay within their bound, whatever comes in how many calls', () => {
  const names = new PartNames(100);
  const who = { coordinator: Buffer.from('c1'), swarm: Buffer.from('s') };
  for (let call = 0; call < 5; call++) names.keep(who, [Buffer.from('x'.repeat(28))]);
  // Each takes two bytes more.
  expect(names.take(who, [Buffer.from('y'.repeat(8)), Buffer.from('z')])).toHaveLength(4);
});

test.each([
  ['that are only counted', []],
  ['that are swept once idle', ['ack']],
])('for orphans %s it is not told of each swarm anew who must not beat there', async (_, orphans) => {
  const { redis, url } = server.current;
  await redis.flushall();
  const swarms = 200;
  const keys = 100;
  const timestamp = await nowOf(redis);
  for (let n = 0; n < swarms; n++)
    await redis.set(`swarm:s${n}:blocking:heartbeat:c${n}`, JSON.stringify({ timestamp }));
  for (let n = 0; n < keys; n++) await redis.set(`blocking:ack:gone-${n}:1`, '1');
  const spelled = vi.spyOn(Speller.prototype, 'nameOf');
  const compared = vi.spyOn(Buffer.prototype, 'equals');
  const report = await clean(url, { settings: { schema: 'swarm', orphans } });
  expect(report.keys).toMatchObject({ orphans: keys, deleted: 0 });
  // A name may be read in two ways, so that there are twice as many who must not beat.
  const proofs = orphans.length > 0 ? 2 * keys * swarms : 0;
  expect(spelled.mock.calls.length).toBeLessThanOrEqual(proofs + 4 * keys);
  expect(compared.mock.calls.length).toBeLessThan(keys);
});
