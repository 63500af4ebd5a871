/** plan: which cases there are, and which of them are asked for. */
import {
  among,
  behind,
  type Case,
  easy,
  everyday,
  hundredThousand,
  million,
  onCluster,
  other,
  replicated,
  shortened,
  tenThousand,
  twoMillion,
  unusual,
  type Way,
} from './cases.ts';

const SCHEMAS = ['flat', 'swarm'] as const;
const DAY_MS = 86_400_000;

const TENTH = 0.1;
const HALF = 0.5;
function waysOf(roundTrips: readonly number[]): Way[] {
  return roundTrips.flatMap((roundTripMs) => [TENTH, HALF].map((jitter) => ({ roundTripMs, jitter })));
}
/** A way of 25 to 100 ms. */
const UNSTEADY: Way = { roundTripMs: 25, jitter: 3 };

/** Everything that `docs/benchmarks.md` shows of a keyspace. */
export const FULL_PLAN: readonly Case[] = [
  ...SCHEMAS.map((schema) => tenThousand(schema)),
  ...SCHEMAS.map(hundredThousand),
  other('claude-flow-novice-100000', 'claude-flow-novice', {}),
  other('ttl-100000', 'flat', { ttlMs: DAY_MS }),
  easy,
  ...SCHEMAS.map(million),
  twoMillion,
  ...SCHEMAS.map((schema) => everyday('everyday', schema, null)),
  ...SCHEMAS.map((schema) => everyday('nothing-stale', schema, null)),
  ...SCHEMAS.flatMap((schema) => [replicated('nothing-stale', schema), replicated('most-stale', schema)]),
  ...[2, 10].map((roundTripMs) => everyday('everyday', 'flat', { roundTripMs, jitter: HALF })),
  ...waysOf([0.5, 2, 10, 50]).map((far) => behind(far, 'flat', 20_000)),
  behind(UNSTEADY, 'flat', 20_000),
  ...waysOf([2, 10, 50]).map((far) => behind(far, 'swarm', 100_000)),
  ...[20_000, 100_000].map(onCluster),
  unusual('large-values', 2_000, { data: 'easy', padding: 65_536 }),
  unusual('many-acks', 200, { acks: 5_000 }),
];

/** Those that are not about one run. */
const THE_HISTORY = 'history';
const THE_DAY = 'day';
const THE_COSTS = 'costs';

/** By what cases can be asked for: a group, or one of them. */
export const GROUPS: readonly string[] = [
  ...new Set(FULL_PLAN.map(({ group }) => group)),
  THE_HISTORY,
  THE_DAY,
  THE_COSTS,
];

export interface Plan {
  readonly cases: readonly Case[];
  readonly history: boolean;
  readonly day: boolean;
  /** What one key costs: printed alone, since docs/scaling.md says what it means. */
  readonly costs: boolean;
}

/** The cases of these names, separated by commas; all without. Fails with a sentence when there is none of a name. */
export function planOf(only: string | undefined): Plan {
  if (only === undefined) return { cases: FULL_PLAN, history: true, day: true, costs: false };
  const names = only.split(',').map((name) => name.trim());
  const ids = FULL_PLAN.map(({ id }) => id);
  const unknown = names.find((name) => !GROUPS.includes(name) && !ids.includes(name));
  if (unknown !== undefined) {
    throw new Error(`there is no case "${unknown}"; use ${GROUPS.join(', ')}, or one of ${ids.join(', ')}`);
  }
  return {
    cases: FULL_PLAN.filter(({ id, group }) => names.includes(id) || names.includes(group)),
    history: names.includes(THE_HISTORY),
    day: names.includes(THE_DAY),
    costs: names.includes(THE_COSTS),
  };
}

/** A minute's look: small, and at a larger size and behind a way only what matters most. */
export function quickPlan(): Case[] {
  const few = ['floor', 'stalesweep', 'floor-warm', 'stalesweep-warm', 'idle'];
  return [
    shortened(among(tenThousand('flat'), few), 3, 1, 1_000),
    shortened(among(hundredThousand('flat'), ['floor', 'stalesweep']), 2, 0, 0),
    shortened(behind({ roundTripMs: 2, jitter: HALF }, 'swarm', 10_000), 2, 0, 0),
  ];
}
