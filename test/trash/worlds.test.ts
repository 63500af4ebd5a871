import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { readTrashName } from '../../src/redis/trash/names.ts';
import { restore } from '../../src/restore/restore.ts';
import { targetFor } from '../model/compare.ts';
import type { ModelKey } from '../model/model.ts';
import { FLAT, NOVICE, ownSchema, SWARM } from '../model/schemas.ts';
import { contentsIn, namesIn, pastOf, SERVER_ARGS, type Stage, stageOn, write } from '../model/stage.ts';
import { worldsOf } from '../model/worlds.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';

const KEYSPACES = 15;
const TIMEOUT_MS = 300_000;
const TRASH = 'stalesweep:trash';
const MORE = ['+renamenx', '+pexpire', '+persist', '+set', '+pttl'];

const server = useRedis(SERVER_ARGS);
let stage: Stage;
beforeAll(async () => {
  stage = await stageOn(server.current);
});

const worlds = worldsOf(fc.oneof(fc.constantFrom(SWARM, FLAT, NOVICE), ownSchema));

test.each(STRATEGIES)(
  'of any keyspace what a run takes by %s lies in the trash, and all of it comes back as it was',
  async (strategy, rules) => {
    const { redis } = server.current;
    let moved = 0;
    const property = fc.asyncProperty(worlds, async (world) => {
      const target = targetFor(world);
      fc.pre(target !== null);
      const { keys, contents } = await write(stage, world);
      const all = [...keys.values()];
      const url = await urlFor(server.current, rules === null ? null : [...rules, ...MORE]);
      const kept = { ...target, url, trash: 3_600_000 };
      const { memoryBudgetBytes } = world;
      const report = await clean(url, {
        ...{ target: kept, sightings: pastOf(stage) },
        ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }),
      });
      expect(report.strategy).toBe(strategy);
      const names = await namesIn(redis);
      const left = names.filter((name) => !name.startsWith(TRASH));
      const gone = names.flatMap((name) => readTrashName(Buffer.from(name, 'latin1'))?.name.toString('latin1') ?? []);
      expect([...left, ...gone].sort()).toEqual([...keys.keys()].sort());
      expect(report.keys).toMatchObject({ trashed: gone.length, deleted: gone.length });
      moved += gone.length;

      const back = await restore(kept, { run: 'test-run' }, { heartbeats: true });
      expect(back).toMatchObject({ restored: gone.length, existing: [], expired: 0 });
      await expectAsBefore(all, contents);
    });
    await fc.assert(property, { numRuns: KEYSPACES, maxSkipsPerRun: 1_000 });
    expect(moved).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

async function expectAsBefore(
  all: readonly ModelKey[],
  contents: ReadonlyMap<string, { readonly value: string; readonly expiresAt: number }>,
): Promise<void> {
  const { redis } = server.current;
  const names = (await namesIn(redis)).filter((name) => !name.startsWith(TRASH));
  expect(names).toEqual(all.map(({ name }) => name).sort());
  const changed = (await contentsIn(redis, all)).filter(([name, { value, expiresAt }]) => {
    const was = contents.get(name);
    return value !== was?.value || Math.abs(expiresAt - was.expiresAt) > (was.expiresAt === -1 ? 0 : 1_000);
  });
  expect(changed).toEqual([]);
}
