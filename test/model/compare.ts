/** compare: run the engine on a world, and hold what it left and what it reported against the model. */
import { textOf } from '../../src/domain/nameText.ts';
import { expect } from 'vitest';
import type { TargetConfig } from '../../src/config/resolve.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Report } from '../../src/domain/report.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { type Expected, expectedOf, type ModelIds, type Range } from './model.ts';
import { contentsIn, namesIn, pastOf, READER, type Stage, type Strategy, secondsOf, urlFor, write } from './stage.ts';
import type { World } from './worlds.ts';

/** How many unreadable heartbeats a report names for each reason. */
const SAMPLE_LIMIT = 10;
/** The order in which a report lists the reasons. */
const REASONS = ['id-shape', 'not-json', 'no-time', 'wrong-unit', 'future', 'wrong-type', 'no-zone'];

/** Ids as a configuration spells them. */
function idsOf({ segments, never }: ModelIds) {
  return {
    shape: segments === null ? '+' : Array.from({ length: segments }, (_, n) => `part${n}`).join(':'),
    never,
  };
}

function settingsOf({ schema, orphans, staleAfterSeconds, maxStaleFraction, callBudget }: World) {
  return {
    schema: schema.name,
    ...(schema.name === 'mine' ? { schemas: { mine: { ids: idsOf(schema.ids), ...schema.families } } } : {}),
    orphans,
    staleAfter: `${staleAfterSeconds}s`,
    maxStaleFraction,
    callBudget,
    // The server has just started: that is no outage here.
    restartGrace: false,
  };
}

/** What the configuration makes of a world's settings; `null` for a schema that it refuses. */
export function targetFor(world: World): TargetConfig | null {
  try {
    return targetOf('redis://127.0.0.1', settingsOf(world));
  } catch (error) {
    if (error instanceof Failure && error.code === 'CONFIG') return null;
    throw error;
  }
}

/** What was reported, where that is within the range, else what should have been. */
function within(reported: number | undefined, { least, most }: Range): number {
  return reported !== undefined && reported >= least && reported <= most ? reported : least;
}

/** What the report must say, as far as the model tells; orphans and unreadable names are left to `expectReport`. */
function toldBy(expected: Expected, strategy: Strategy, report: Report) {
  const { dryRun, keys } = report;
  const { outcome, checked, active, stale, lapsed, unreadable, found, byFamily } = expected;
  const swept = dryRun || outcome === 'refused' ? 0 : stale;
  const families = Object.entries(byFamily).map(([family, range]) => [family, within(keys.byFamily[family], range)]);
  return {
    outcome,
    // How a dry run would have removed keys is not asked: its user may do neither.
    strategy: dryRun ? report.strategy : strategy.name,
    coordinators: {
      checked,
      active,
      stale,
      unreadable: unreadable.length,
      held: 0,
      protected: 0,
      lapsed,
      swept,
      revived: 0,
    },
    keys: {
      found,
      deleted: dryRun ? 0 : found,
      kept: within(keys.kept, expected.kept),
      byFamily: Object.fromEntries(families),
    },
    sum: found,
  };
}

/** Every reason is there with its count and its names, or as many of them as a report names. */
function expectUnreadable({ unreadable }: Report, expected: Expected): void {
  const due = REASONS.map((reason) => ({
    why: reason,
    names: expected.unreadable.flatMap(({ why, name }) =>
      why === reason ? [textOf(Buffer.from(name, 'latin1'))] : [],
    ),
  })).filter(({ names }) => names.length > 0);
  expect(unreadable.map(({ why, count }) => [why, count])).toEqual(due.map(({ why, names }) => [why, names.length]));
  for (const [i, { names }] of due.entries()) {
    const { sample = [] } = unreadable[i] ?? {};
    const distinct = new Set(names);
    expect(sample).toHaveLength(Math.min(distinct.size, SAMPLE_LIMIT));
    expect(names).toEqual(expect.arrayContaining([...sample]));
  }
}

/** Without memory to keep keys from the first pass, a run looks for what is nobody's only when a key could go. */
function mayNotLook({ memoryBudgetBytes, orphans }: World, { stale }: Expected): boolean {
  return memoryBudgetBytes !== undefined && stale === 0 && orphans.length === 0;
}

function expectReport(report: Report, expected: Expected, world: World, strategy: Strategy): void {
  const { orphans, ...keys } = report.keys;
  const { outcome, coordinators } = report;
  const sum = Object.values(keys.byFamily).reduce((all, count) => all + count, 0);
  const told = toldBy(expected, strategy, report);
  expect({ outcome, strategy: report.strategy, coordinators, keys, sum }).toEqual(told);
  expect(Object.keys(keys.byFamily)).toEqual(Object.keys(world.schema.families));

  const judged = coordinators.active + coordinators.stale;
  expect(report.silence.reduce((all, count) => all + count, 0)).toBe(judged);
  expect(report.silence.at(-1)).toBe(coordinators.stale);
  expectUnreadable(report, expected);

  if (orphans !== null) {
    expect(expected.orphans).not.toBeNull();
    expect(orphans).toBeGreaterThanOrEqual(expected.orphans?.least ?? 0);
    // In the schemas that ship no template overlaps another family's, so what is counted is never in doubt.
    const most = world.schema.name === 'mine' ? expected.orphans?.most : expected.orphans?.least;
    expect(orphans).toBeLessThanOrEqual(most ?? 0);
    return;
  }
  expect(expected.orphans === null || expected.outcome === 'refused' || mayNotLook(world, expected)).toBe(true);
}

/** Only what differs: thousands of names would hide it. */
function expectNames(left: readonly string[], expected: readonly string[]): void {
  const [actual, due] = [new Set(left), new Set(expected)];
  const differing = {
    wronglyGone: expected.filter((name) => !actual.has(name)),
    wronglyLeft: left.filter((name) => !due.has(name)),
  };
  expect(differing).toEqual({ wronglyGone: [], wronglyLeft: [] });
}

/** Runs the engine on a world: dry, then in earnest, then again; whether the model could tell what must come of it. */
export async function attempt(stage: Stage, strategy: Strategy, world: World, target: TargetConfig): Promise<boolean> {
  const { redis } = stage.server;
  const { memoryBudgetBytes } = world;
  const options = { target, ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }) };
  const run = async (user: string, dryRun: boolean) =>
    await clean(urlFor(stage, user), { ...options, sightings: pastOf(stage), dryRun });
  const { keys, contents, seen } = await write(stage, world);
  const settings = { ...world, families: world.schema.families, ids: world.schema.ids, seen };
  const all = [...keys.values()];
  const from = await secondsOf(redis);

  const dry = await run(READER, true);
  const afterDry = await namesIn(redis);
  const real = await run(strategy.name, false);
  const left = await namesIn(redis);
  const again = await run(strategy.name, false);
  const leftAgain = await namesIn(redis);

  const expected = expectedOf(settings, all, from);
  const kept = expected.left.flatMap((name) => keys.get(name) ?? []);
  const then = { ...settings, seen: expected.remembered };
  const once = expectedOf(then, kept, from);
  const to = await secondsOf(redis);
  if (to !== from) {
    const later = [expectedOf(settings, all, to), expectedOf(then, kept, to)];
    if (JSON.stringify(later) !== JSON.stringify([expected, once])) return false;
  }

  expectNames(afterDry, [...keys.keys()]);
  expectReport(dry, expected, world, strategy);
  expectNames(left, expected.left);
  expectReport(real, expected, world, strategy);
  // Whether the first pass could hold its keys is a matter of bytes, and may differ between the two.
  const looked = mayNotLook(world, expected) ? { orphans: dry.keys.orphans } : {};
  // Whoever was seen and left nothing that may go is forgotten by the first of them.
  const known = world.seen.length > 0 ? { kept: dry.keys.kept } : {};
  expect(dry.keys).toEqual({ ...real.keys, ...looked, ...known, deleted: 0 });
  expect(once.outcome === 'refused' || once.stale === 0).toBe(true);
  expectNames(leftAgain, once.left);
  // Who went and shares a key with somebody who lives stays known for its sake.
  expectReport(again, { ...once, kept: { least: 0, most: expected.kept.most } }, world, strategy);
  const changed = (await contentsIn(redis, kept)).filter(([name, content]) => {
    const was = contents.get(name);
    return content.value !== was?.value || content.expiresAt !== was.expiresAt;
  });
  expect(changed).toEqual([]);
  return true;
}
