import { expect, test } from 'vitest';
import { RunSightings } from '../../src/ledger/sightings/runSightings.ts';
import { restore, type RestoreOptions } from '../../src/restore/restore.ts';
import { beats, belongingsOf, heartbeatOf, sharedBy } from '../lapsed/scene.ts';
import { type CleanOptions, clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ledgerIn } from '../support/pastRuns.ts';
import { beat, nowOf, writeAll } from '../support/world.ts';

/** What is given back where heartbeats expire, and what earlier runs saw is kept: the next runs leave it (P11). */
const server = useRedis();
const TTL_SECONDS = 3_600;

function target() {
  return targetOf(server.current.url, { schema: 'flat', trash: '1h', restartGrace: false });
}

async function run(options: CleanOptions = {}) {
  const { redis, url } = server.current;
  const sightings = new RunSightings(ledgerIn(redis).sightingsOf(target()), { mostBytes: 1e7 });
  return await clean(url, { target: target(), sightings, ...options });
}

async function giveBack(id: string, options: RestoreOptions = {}) {
  const warned: string[] = [];
  const tell = { ledger: ledgerIn(server.current.redis), warn: (said: string) => void warned.push(said) };
  const back = await restore(target(), { coordinator: Buffer.from(id) }, { ...tell, ...options });
  expect(warned).toEqual([]);
  return back.restored;
}

/** All that a coordinator has, its heartbeat so many seconds old, and to expire. */
async function settle(id: string, silentSeconds: number, ...shared: string[]): Promise<string[]> {
  const { redis } = server.current;
  const names = [...belongingsOf('flat', id), ...shared];
  await writeAll(redis, Object.fromEntries(names.map((name) => [name, `of ${id}`])));
  const at = (await nowOf(redis)) - silentSeconds * 1000;
  await redis.set(heartbeatOf('flat', id), beat(at, id), 'EX', TTL_SECONDS);
  return names;
}

/** How many of these are there. */
async function there(names: readonly string[]): Promise<number> {
  return await server.current.redis.exists(...names);
}

const SHARED = sharedBy('dead', 'alive');

test('what is given back stays, though its coordinator shares a key with somebody who lives, until it beats and falls silent anew', async () => {
  const { redis } = server.current;
  const own = await settle('dead', 3_600);
  await settle('alive', 0, SHARED);
  expect((await run()).coordinators.swept).toBe(1);
  expect(await there(own)).toBe(0);
  expect(await giveBack('dead')).toBe(own.length);
  for (let again = 0; again < 3; again++) {
    const report = await run({ dryRun: again === 1 });
    expect(report.coordinators).toMatchObject({ checked: 1, active: 1, stale: 0, lapsed: 0, swept: 0 });
    expect(report.keys.deleted).toBe(0);
  }
  expect(await there([...own, SHARED])).toBe(own.length + 1);
  // The other one dies: what they share may be the first one's still.
  await settle('alive', 3_600);
  expect((await run()).coordinators.swept).toBe(1);
  expect(await there([...own, SHARED])).toBe(own.length + 1);
  // It beats, and from then on it is judged as anybody.
  await beats(redis, 'flat', 'dead');
  expect((await run()).coordinators).toMatchObject({ checked: 1, active: 1 });
  await settle('dead', 3_600);
  expect((await run()).coordinators).toMatchObject({ checked: 2, swept: 2 });
  expect(await there([...own, SHARED])).toBe(0);
});

test('nor does a run that began before take it later, for what it saw and keeps only at its end', async () => {
  const own = await settle('dead', 3_600);
  await settle('alive', 0, SHARED);
  let back = 0;
  const sightings = new RunSightings(ledgerIn(server.current.redis).sightingsOf(target()), { mostBytes: 1e7 });
  const keep = sightings.keep.bind(sightings);
  sightings.keep = async (beside) => {
    back = await giveBack('dead');
    await keep(beside);
  };
  const report = await run({ sightings });
  expect(report.coordinators.swept).toBe(1);
  expect(back).toBe(own.length);
  expect((await run()).coordinators.swept).toBe(0);
  expect(await there([...own, SHARED])).toBe(own.length + 1);
});

test('many given back at once, each by a process of its own, are all known', async () => {
  const ids = Array.from({ length: 5 }, (_, i) => `dead${i}`);
  const own = (await Promise.all(ids.map(async (id) => await settle(id, 3_600)))).flat();
  await settle('alive', 0, ...ids.map((id) => sharedBy(id, 'alive')));
  expect((await run()).coordinators.swept).toBe(ids.length);
  await Promise.all(ids.map(async (id) => await giveBack(id)));
  expect((await run()).coordinators.swept).toBe(0);
  expect(await there(own)).toBe(own.length);
});

test('who else could own what comes back does not take it along, for what was seen of it before; by its id or by the run', async () => {
  const { redis } = server.current;
  for (const wanted of [{ coordinator: Buffer.from('dead') }, { run: 'first' }]) {
    await redis.flushall();
    const both = sharedBy('dead', 'other');
    await settle('dead', 3_600, both);
    await settle('other', 3_600);
    // It alone shares something with who lives, and so stays known.
    await settle('alive', 0, sharedBy('alive', 'other'));
    expect((await run({ run: 'first' })).coordinators.swept).toBe(2);
    await restore(target(), wanted, { ledger: ledgerIn(redis) });
    expect((await run()).coordinators.swept).toBe(0);
    expect(await there([both, ...belongingsOf('flat', 'dead')])).toBe(7);
  }
});

test('with its heartbeat it is judged by that; and who was seen after it had gone as anybody', async () => {
  const { redis } = server.current;
  const own = await settle('dead', 3_600);
  await settle('alive', 0, SHARED);
  await run();
  expect(await giveBack('dead', { heartbeats: true })).toBe(own.length + 1);
  expect((await run({ run: 'second' })).coordinators).toMatchObject({ stale: 1, swept: 1 });
  expect(await there(own)).toBe(0);
  await redis.set(heartbeatOf('flat', 'dead'), beat((await nowOf(redis)) + 1_500, 'dead'), 'EX', TTL_SECONDS);
  await expect.poll(async () => (await run()).coordinators.active).toBe(2);
  expect(await giveBack('dead')).toBe(own.length);
  await redis.del(heartbeatOf('flat', 'dead'));
  expect((await run()).coordinators, 'seen since, so it counts').toMatchObject({ checked: 2, active: 2 });
});
