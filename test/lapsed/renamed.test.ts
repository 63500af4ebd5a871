/** A target that got another name goes on by what was seen under the one before. */
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { runDirectly } from '../../src/direct/run.ts';
import { noteGivenBack } from '../../src/ledger/sightings/givenBack.ts';
import { RunSightings } from '../../src/ledger/sightings/runSightings.ts';
import { useRedis } from '../support/leaks.ts';
import { ledgerIn } from '../support/pastRuns.ts';
import { nowOf, writeAll } from '../support/world.ts';
import { beats, belongingsOf, heartbeatOf, LONG_AGO, leftIn, noteIn, THRESHOLD } from './scene.ts';

const server = useRedis();

function configured(name: string) {
  const { url } = server.current;
  const file = { schema: 'flat', restartGrace: false, queue: { url }, targets: { [name]: { url } } };
  const config = resolveConfig({}, {}, { name: 'stalesweep.yaml', text: JSON.stringify(file) });
  const target = config.targets.get(name);
  if (target === undefined) throw new Error('there is one');
  return { ...config, target };
}

/** One run of the target of this name. */
async function runAs(name: string, staleAfterSeconds = THRESHOLD) {
  const { target, queue, process } = configured(name);
  return await runDirectly({
    target: { ...target, staleAfterSeconds },
    queue,
    ledger: process.ledger,
    trigger: 'cli',
    by: null,
    dryRun: false,
    force: false,
    record: true,
    signal: new AbortController().signal,
    observer: {},
  });
}

/** They beat before a run under the name of before, and have no heartbeat any more. */
async function lapseUnder(name: string, ...ids: string[]): Promise<void> {
  const { redis } = server.current;
  for (const id of ids) {
    await writeAll(redis, Object.fromEntries(belongingsOf('flat', id).map((key) => [key, '1'])));
    await beats(redis, 'flat', id);
  }
  await runAs(name);
  for (const id of ids) await redis.del(heartbeatOf('flat', id));
}

test('who died before the rename goes once it is silent for the threshold since the first run after it (P11)', async () => {
  await lapseUnder('before', 'dead');
  expect((await runAs('after', 1)).coordinators).toMatchObject({ active: 1, stale: 0 });
  await expect.poll(async () => (await runAs('after', 1)).coordinators).toMatchObject({ lapsed: 1, swept: 1 });
  expect(await leftIn(server.current.redis)).toEqual([]);
});

test('nobody goes by what was seen under another name long ago: it may have beaten since, with nobody there to see it (P1)', async () => {
  const { redis } = server.current;
  await lapseUnder('before', 'dead');
  const long = new RunSightings(ledgerIn(redis).sightingsOf(configured('before').target), { mostBytes: 1e6 });
  for await (const block of long.earlier()) for (const _ of block);
  noteIn(long, 'dead', undefined, (await nowOf(redis)) / 1000 - LONG_AGO);
  await long.keep();
  for (const _ of [1, 2]) expect((await runAs('after')).coordinators).toMatchObject({ active: 1, stale: 0 });
  expect(await leftIn(redis)).toEqual(belongingsOf('flat', 'dead').sort());
});

test('who was given back before the rename stays after it (P1, P11)', async () => {
  const { redis } = server.current;
  await lapseUnder('before', 'back', 'dead');
  const before = ledgerIn(redis).sightingsOf(configured('before').target);
  await noteGivenBack(before, new Map([['back', Math.ceil((await nowOf(redis)) / 1000)]]));
  await expect.poll(async () => (await runAs('after', 1)).coordinators.swept).toBe(1);
  // One more was given back under the new name.
  await noteGivenBack(ledgerIn(redis).sightingsOf(configured('after').target), new Map([['other', 1]]));
  await runAs('after', 1);
  expect(await leftIn(redis)).toEqual(belongingsOf('flat', 'back').sort());
});

test.each([
  ['another name', 'after', ['lrange', 'llen', 'getrange', 'mget', 'smembers']],
  ['its own name', 'before', ['lrange', 'llen', 'getrange']],
])(
  'who was seen under %s is not forgotten by a run that could not read it, or who was given back (P11)',
  async (_, name, rights) => {
    const { redis } = server.current;
    await lapseUnder('before', 'seen');
    const { target } = configured(name);
    await noteGivenBack(ledgerIn(redis).sightingsOf(configured('before').target), new Map([['other', 1]]));
    const past = () => new RunSightings(ledgerIn(redis).sightingsOf(target), { mostBytes: 1e6 });
    const read = async (one: RunSightings) => {
      const names: string[] = [];
      for await (const some of one.earlier())
        for (const { coordinator } of some) names.push(Buffer.from(coordinator).toString());
      return names;
    };
    for (const right of rights) {
      const one = past();
      await redis.call('ACL', 'SETUSER', 'default', `-${right}`);
      await expect(read(one))
        .rejects.toThrow('NOPERM')
        .finally(() => redis.call('ACL', 'SETUSER', 'default', '+@all'));
      await one.keep();
      expect(await read(past()), right).toEqual(['seen']);
    }
  },
);

test("a target goes by its own sightings as soon as it has any, and by nobody else's after (P11)", async () => {
  const { redis } = server.current;
  await lapseUnder('one');
  await beats(redis, 'flat', 'a');
  await runAs('other');
  await lapseUnder('one', 'seen-by-one');
  expect((await runAs('other')).coordinators).toMatchObject({ active: 1, stale: 0 });
});
