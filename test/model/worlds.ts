/** worlds: keyspaces made to be confusing: who owns what is told by names that are nearly each other's.
 *
 * Names are byte strings: each character stands for one byte.
 */
import fc from 'fast-check';
import { anyBeat, type Beat, staleBeat } from './beats.ts';
import { castsOf, nameOf, nameRecipe, pick, some } from './names.ts';
import type { WrittenSchema } from './schemas.ts';

const MOST_HEARTBEATS = 16;
const MOST_KEYS = 50;

/** Every type of value there is. */
export const TYPES = ['string', 'list', 'hash', 'set', 'zset', 'stream'] as const;
/** A type of value, as TYPE says it. */
export type Type = (typeof TYPES)[number];

/** A key to be written. */
export interface PlannedKey {
  readonly name: string;
  readonly value: Beat | Type;
  readonly idleSeconds: number;
  /** `over`: it has expired before the run, though Redis has not noticed yet. */
  readonly ttl: 'none' | 'long' | 'over';
}

/** Somebody whom an earlier run saw to beat. */
export interface PlannedSighting {
  readonly coordinator: string;
  /** `null` where heartbeats name none. */
  readonly swarm: string | null;
  readonly ageSeconds: number;
}

/** What is there when a run starts, and what the run is told. */
export interface World {
  readonly schema: WrittenSchema;
  readonly keys: readonly PlannedKey[];
  readonly seen: readonly PlannedSighting[];
  /** So many more keys, named `<prefix>:0` and so on: more than one page or call takes. */
  readonly crowd: { readonly prefix: string; readonly count: number } | null;
  readonly orphans: readonly string[];
  readonly staleAfterSeconds: number;
  readonly maxStaleFraction: number;
  readonly callBudget: '2ms' | '0.1ms';
  readonly memoryBudgetBytes: number | undefined;
}

const type = fc.constantFrom<Type>('string', 'string', 'string', 'string', 'string', ...TYPES);

const ttl = fc.oneof(
  { weight: 8, arbitrary: fc.constant('none' as const) },
  { weight: 1, arbitrary: fc.constantFrom('long' as const, 'over' as const) },
);

/** Well away from the threshold, since a key grows more idle by itself. */
function idleOf(staleAfterSeconds: number) {
  return fc.constantFrom(0, staleAfterSeconds - 40, staleAfterSeconds + 5, 1_000_000);
}

function settingsOf(schema: WrittenSchema, staleAfterSeconds: number) {
  return fc.record({
    schema: fc.constant(schema),
    staleAfterSeconds: fc.constant(staleAfterSeconds),
    orphans: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.subarray(Object.keys(schema.families).filter((family) => family !== 'heartbeat')) },
    ),
    maxStaleFraction: fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 0.5),
    callBudget: fc.constantFrom('2ms' as const, '0.1ms' as const),
    memoryBudgetBytes: fc.constantFrom(undefined, undefined, undefined, 900, 3_000, 10_000),
  });
}

/** Most worlds are nearly all stale: where many live, next to nothing goes. */
function heartbeatValue(staleAfterSeconds: number) {
  const any = fc.oneof({ weight: 15, arbitrary: anyBeat(staleAfterSeconds) }, fc.constantFrom<Type>(...TYPES));
  const stale = staleBeat(staleAfterSeconds);
  return fc.constantFrom(
    fc.oneof({ weight: 8, arbitrary: stale }, { weight: 1, arbitrary: any }),
    fc.oneof({ weight: 1, arbitrary: stale }, { weight: 1, arbitrary: any }),
    stale,
  );
}

function heartbeatsOf(staleAfterSeconds: number) {
  return heartbeatValue(staleAfterSeconds).chain((value) =>
    fc.array(fc.record({ recipe: nameRecipe, value, ttl }), { maxLength: MOST_HEARTBEATS, size: 'max' }),
  );
}

/** At the threshold somebody still lives, one second later not any more. */
function sightingsOf(staleAfterSeconds: number) {
  return fc.array(
    fc.record({
      coordinator: some,
      swarm: some,
      ageSeconds: fc.oneof(
        { weight: 3, arbitrary: fc.constant(staleAfterSeconds + 40) },
        fc.constantFrom(0, staleAfterSeconds - 40, staleAfterSeconds, staleAfterSeconds + 1, 1_000_000),
      ),
    }),
    { maxLength: 8 },
  );
}

/** More keys than a page or a call takes: of one coordinator, of nobody, or heartbeats that can't be judged. */
const crowd = fc.record({
  recipe: nameRecipe,
  /** So that the number becomes the id. */
  withoutLast: fc.boolean(),
  count: fc.integer({ min: 1, max: 2_000 }),
});

function contentsOf(staleAfterSeconds: number) {
  return fc.record({
    cast: castsOf,
    heartbeats: heartbeatsOf(staleAfterSeconds),
    seen: sightingsOf(staleAfterSeconds),
    others: fc.array(fc.record({ recipe: nameRecipe, value: type, ttl, idleSeconds: idleOf(staleAfterSeconds) }), {
      maxLength: MOST_KEYS,
      size: 'max',
    }),
    // Crowds take longest.
    crowd: fc.oneof(
      { withCrossShrink: true },
      { weight: 39, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: crowd },
    ),
  });
}

function uniqueBy<T>(all: readonly T[], nameOf: (one: T) => string): T[] {
  return [...new Map(all.map((one) => [nameOf(one), one])).values()];
}

/** Worlds of a schema. */
function worldOf(schema: WrittenSchema, staleAfterSeconds: number): fc.Arbitrary<World> {
  return fc
    .tuple(settingsOf(schema, staleAfterSeconds), contentsOf(staleAfterSeconds))
    .map(([settings, { cast, heartbeats, seen, others, crowd: many }]) => {
      const templates = Object.values(schema.families).flat();
      const keys = new Map<string, PlannedKey>();
      const add = (key: PlannedKey) => keys.has(key.name) || keys.set(key.name, key);
      for (const { recipe, value, ttl: its } of heartbeats) {
        const name = nameOf(schema.families.heartbeat ?? [], cast, { ...recipe, twist: 'none' });
        add({ name, value, ttl: its, idleSeconds: 0 });
      }
      for (const { recipe, ...rest } of others) add({ name: nameOf(templates, cast, recipe), ...rest });
      const name = many === null ? '' : nameOf(templates, cast, many.recipe);
      const prefix = many?.withoutLast ? name.replace(/:[^:]*$/, '') : name;
      // DEBUG POPULATE takes a C string of less than 128 bytes.
      const fits = many !== null && !prefix.includes('\0') && prefix.length < 100;
      const inSwarms = (schema.families.heartbeat ?? []).some((template) => template.includes('{swarm}'));
      // Whoever keeps them has everybody once.
      const sightings = uniqueBy(
        seen.map(({ coordinator, swarm, ageSeconds }) => ({
          coordinator: pick(cast.ids, coordinator),
          swarm: inSwarms ? pick(cast.swarms, swarm) : null,
          ageSeconds,
        })),
        ({ coordinator, swarm }) => JSON.stringify([coordinator, swarm]),
      );
      // Without memory for the keys nobody can say who left nothing before it is time to refuse.
      const knowsWhoLeft = sightings.length === 0 || settings.maxStaleFraction === 1;
      return {
        ...settings,
        // Of how many there are only orphans, which count here too, the model does not tell.
        orphans: settings.maxStaleFraction === 1 ? settings.orphans : [],
        memoryBudgetBytes: knowsWhoLeft ? settings.memoryBudgetBytes : undefined,
        keys: [...keys.values()],
        seen: sightings,
        crowd: fits ? { prefix, count: many.count } : null,
      };
    });
}

/** Worlds of any of these schemas. */
export function worldsOf(schemas: fc.Arbitrary<WrittenSchema>): fc.Arbitrary<World> {
  return fc
    .tuple(schemas, fc.constantFrom(60, 600))
    .chain(([schema, staleAfterSeconds]) => worldOf(schema, staleAfterSeconds));
}
