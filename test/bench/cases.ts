/** cases: what is measured, against what, and how often. */
import type { Sample } from './dataset.ts';
import { ACKS, type SchemaName } from './keys.ts';
import type { ProgramName } from './program.ts';

export interface Contender {
  readonly id: string;
  readonly program: ProgramName;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Which coordinators' keys are gone afterwards. */
  readonly removes: 'nothing' | 'stale' | 'all';
  /** Trials in which its cost is measured. */
  readonly costs: number;
  /** Trials in which a second client pings. */
  readonly felt: number;
  /** It loses its process, and its further trials, when it takes longer. */
  readonly limitMs: number;
  /** Does all its trials in one process, and some before the first. */
  readonly warm: boolean;
}

export interface Case extends Sample {
  readonly id: string;
  readonly contenders: readonly Contender[];
}

export const SIZES = [10_000, 100_000, 1_000_000];
const SCHEMAS: readonly SchemaName[] = ['flat', 'swarm'];
const REPETITIONS = 5;
/** The default of the setting. */
export const CALL_BUDGET_MS = 2;
/** Who needs longer is out: in that time the slowest that works is done with a million coordinators. */
const LIMIT_MS = 600_000;
/** Below this size every contender has all its trials; from it on, those that take a minute have one. */
const OFTEN_BELOW = 100_000;
/** From this size on, all that are not compared with an aim have one. */
const ONCE_FROM = 1_000_000;

const contender = (id: string, program: ProgramName, given: Partial<Contender> = {}): Contender => ({
  id,
  program,
  settings: {},
  removes: 'stale',
  costs: REPETITIONS,
  felt: REPETITIONS,
  limitMs: LIMIT_MS,
  warm: false,
  ...given,
});

const floor = contender('floor', 'floor', { settings: { sweep: true } });
const stalesweep = contender('stalesweep', 'stalesweep');
const idle = contender('idle', 'idle', { removes: 'nothing', costs: 0 });
const warm = (cold: Contender): Contender => ({ ...cold, id: `${cold.id}-warm`, felt: 0, warm: true });
const nice = contender('stalesweep-nice-1', 'stalesweep', { settings: { nice: 1 } });
const smallBudget = contender('stalesweep-64MB', 'stalesweep', {
  settings: { memoryBudget: '64MB' },
  costs: 1,
  felt: 0,
});

const others = (coordinators: number): Contender[] => {
  const large = coordinators >= ONCE_FROM;
  const often = coordinators < OFTEN_BELOW ? {} : { costs: large ? 1 : REPETITIONS, felt: 1 };
  return [
    contender('by-hand', 'byHand', { ...often, removes: 'all' }),
    // At a million it would take a quarter of an hour, ten times what it takes at a hundred thousand.
    ...(large ? [] : [contender('loop', 'loop', coordinators < OFTEN_BELOW ? {} : { costs: 1, felt: 1 })]),
    contender('one-script', 'oneScript', often),
  ];
};

const USUAL = { foreign: 0, acks: ACKS, padding: 0 };

/** Nearly everybody stale: the case in which the most is to be done. */
const sweeping = (schema: SchemaName, coordinators: number): Case => ({
  id: `${schema}-${coordinators}`,
  schema,
  coordinators,
  stale: Math.round(coordinators * 0.99),
  ...USUAL,
  contenders: [
    coordinators < ONCE_FROM ? floor : { ...floor, felt: 1 },
    coordinators < ONCE_FROM ? stalesweep : { ...stalesweep, felt: 1 },
    ...(coordinators <= 10_000 ? [warm(floor), warm(stalesweep)] : []),
    ...(coordinators === 100_000 ? [nice] : []),
    ...(coordinators >= 1_000_000 ? [smallBudget] : []),
    ...others(coordinators),
    idle,
  ],
});

/** What most runs meet: hardly anybody stale, in a Redis that serves others as well. */
const looking = (name: string, schema: SchemaName, share: number): Case => ({
  id: `${name}-${schema}`,
  schema,
  coordinators: 100_000,
  stale: Math.round(100_000 * share),
  ...USUAL,
  foreign: 1_000_000,
  contenders: [contender('scan-pass', 'floor', { removes: 'nothing' }), stalesweep, idle],
});

/** Coordinators unlike most: what a key costs a call is not known beforehand. */
const unusual = (id: string, coordinators: number, sample: Partial<Sample>): Case => ({
  id,
  schema: 'flat',
  coordinators,
  stale: Math.round(coordinators * 0.99),
  ...USUAL,
  ...sample,
  contenders: [{ ...contender('scan-pass', 'floor', { removes: 'nothing' }), felt: 0 }, stalesweep, idle],
});

const huge: Case = {
  id: 'huge-flat',
  schema: 'flat',
  coordinators: 2_000_000,
  stale: 1_980_000,
  ...USUAL,
  contenders: [{ ...stalesweep, costs: 1, felt: 0 }],
};

/** Everything that `docs/benchmarks.md` shows. */
export const FULL_PLAN: readonly Case[] = [
  ...SIZES.flatMap((size) => SCHEMAS.map((schema) => sweeping(schema, size))),
  ...SCHEMAS.map((schema) => looking('everyday', schema, 0.001)),
  ...SCHEMAS.map((schema) => looking('nothing-stale', schema, 0)),
  unusual('large-values', 2_000, { padding: 65_536 }),
  unusual('many-acks', 200, { acks: 5_000 }),
  huge,
];

/** Cases that are measured only when they are asked for, since they take long. */
export const ONLY_ON_REQUEST: readonly string[] = [huge.id];

/** The same case with less patience. */
export const shortened = (one: Case, costs: number, felt: number, forMs: number): Case => ({
  ...one,
  contenders: one.contenders.map((contender) => ({
    ...contender,
    costs: Math.min(contender.costs, costs),
    felt: Math.min(contender.felt, felt),
    settings: contender.program === 'idle' ? { forMs } : contender.settings,
  })),
});

/** A case of any size, for a look. */
export const smallCase = (schema: SchemaName, coordinators: number): Case => sweeping(schema, coordinators);

/** A minute's look: small, and at a larger size only what matters most. */
export const quickPlan = (): Case[] => {
  const larger = sweeping('flat', 100_000);
  const few = { ...larger, contenders: [floor, stalesweep, idle] };
  return [shortened(sweeping('flat', 10_000), 3, 1, 1_000), shortened(few, 2, 1, 1_000)];
};
