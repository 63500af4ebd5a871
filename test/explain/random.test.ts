/** What explain says a run would do is what a run then does, in worlds made to be confusing. */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Entry } from '../../src/explain/entry.ts';
import { targetFor } from '../model/compare.ts';
import { FLAT, NOVICE, ownSchema, SWARM } from '../model/schemas.ts';
import { namesIn, pastOf, READER, SERVER_ARGS, type Stage, secondsOf, stageOn, urlFor, write } from '../model/stage.ts';
import { type World, worldsOf } from '../model/worlds.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ask } from './asking.ts';

const WORLDS = 6;
/** A failure is made as small as it gets before it is shown. */
const TIMEOUT_MS = 300_000;
/** A second that turns meanwhile may make somebody stale; such a world is written again. */
const ATTEMPTS = 30;

const server = useRedis(SERVER_ARGS);
let stage: Stage;

beforeAll(async () => {
  stage = await stageOn(server.current);
});

function bytesOf(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}
function nameOf({ name }: Entry): string {
  return name.toString('latin1');
}

/** A key that goes is told to go; what is told to go goes. A coordinator goes when one of its heartbeats does. */
function told(entries: readonly Entry[], there: ReadonlySet<string>, left: ReadonlySet<string>) {
  const of = (name: Buffer | null) => (name === null ? false : !left.has(name.toString('latin1')));
  // Of a key that is not there nobody can see what becomes of it.
  const seen = entries.filter((entry) => entry.kind === 'coordinator' || there.has(nameOf(entry)));
  return seen.map((entry) => {
    const { kind, verdict, owners, readings } = entry;
    if (readings !== undefined && owners.length > 0) {
      // Whoever could own it is named with the way to read it so.
      const named = new Set(readings.flatMap(({ ids }) => ids.map((id) => id.toString('latin1'))));
      expect(new Set(owners.map(({ coordinator }) => coordinator.toString('latin1')))).toEqual(named);
    }
    const goes = kind === 'key' ? of(entry.name) : owners.some(({ heartbeat }) => of(heartbeat));
    // Where it has lapsed, in one swarm or in all, there was no heartbeat that could be seen to go.
    const hasLapsed = kind === 'coordinator' && !goes && owners.some(({ heartbeat }) => heartbeat === null);
    return { kind, name: nameOf(entry), why: entry.why, goes: hasLapsed ? verdict === 'goes' : goes, verdict };
  });
}

async function hold(world: World): Promise<void> {
  const target = targetFor(world);
  fc.pre(target !== null);
  for (let left = ATTEMPTS; left > 0; left--) {
    const { keys } = await write(stage, world);
    const from = await secondsOf(server.current.redis);
    const ids = [...new Set(world.keys.flatMap(({ name }) => name.split(':')))];
    const names = [...keys.keys(), ...ids.filter((id) => id !== '')].map(bytesOf);
    const entries = await ask({ ...target, url: urlFor(stage, READER) }, names, { sightings: pastOf(stage) });
    await clean(urlFor(stage, 'script'), { target, sightings: pastOf(stage) });
    const becameOf = told(entries, new Set(keys.keys()), new Set(await namesIn(server.current.redis)));
    if ((await secondsOf(server.current.redis)) !== from && left > 1) {
      if (becameOf.some(({ goes, verdict }) => goes !== (verdict === 'goes'))) continue;
    }
    expect(becameOf.filter(({ goes, verdict }) => goes !== (verdict === 'goes'))).toEqual([]);
    // Each key that is there is told of as a key, whatever else it is.
    const asKeys = entries.filter(({ kind }) => kind === 'key').map(nameOf);
    expect([...keys.keys()].filter((name) => !asKeys.includes(name))).toEqual([]);
    return;
  }
}

test(
  'whatever is there, a run does with it what explain says',
  async () => {
    const worlds = worldsOf(fc.oneof(fc.constantFrom(SWARM, FLAT, NOVICE), ownSchema)).map((world): World => {
      const { memoryBudgetBytes: _, ...rest } = world;
      return { ...rest, memoryBudgetBytes: undefined, maxStaleFraction: 1, crowd: null };
    });
    await fc.assert(fc.asyncProperty(worlds, hold), { numRuns: WORLDS, maxSkipsPerRun: 1_000 });
  },
  TIMEOUT_MS,
);
