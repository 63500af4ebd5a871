/** cases: what one is made of: data, a way to Redis, and who contends. */
import { ACKS } from './keys.ts';
import type { SchemaName } from './sample.ts';
import type { ProgramName } from './program.ts';
import type { Sample } from './sample.ts';

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
  /** So many runs before the first trial, and then all its trials in one process; 0: each in a process of its own. */
  readonly warmUps: number;
}

/** How far away Redis is: what a round trip takes, and at random up to that share of it more. */
export interface Way {
  readonly roundTripMs: number;
  readonly jitter: number;
}

export interface Case extends Sample {
  readonly id: string;
  /** With which others it can be asked for. */
  readonly group: string;
  /** `null`: over loopback. */
  readonly way: Way | null;
  /** Whether a replica stands beside the server, which a contender may read. */
  readonly hasReplica?: boolean;
  /** Over how many primaries of a cluster its keys are spread; left out: one server has them all. */
  readonly primaries?: number;
  readonly contenders: readonly Contender[];
}

/** The default of the setting. */
export const CALL_BUDGET_MS = 2;
const REPETITIONS = 5;
/** At a million a trial takes a minute or two, and one time differs less from the next. */
const OF_MILLIONS = 3;
/** Who needs longer is out: in that time the slowest that works is done with a million coordinators. */
const LIMIT_MS = 600_000;
const FOREIGN = 1_000_000;

function contender(id: string, program: ProgramName, given: Partial<Contender> = {}): Contender {
  return {
    id,
    program,
    settings: {},
    removes: 'stale',
    costs: REPETITIONS,
    felt: 0,
    limitMs: LIMIT_MS,
    warmUps: 0,
    ...given,
  };
}

const floor = contender('floor', 'floor', { settings: { sweep: true } });
const scanPass = contender('scan-pass', 'floor', { removes: 'nothing' });
const stalesweep = contender('stalesweep', 'stalesweep');
function felt(one: Contender, trials: number): Contender {
  return { ...one, felt: trials };
}
function times(one: Contender, trials: number): Contender {
  return { ...one, costs: trials };
}
/** Runs that a warm process has behind it, on data of the same size. */
const WARM_UPS = 5;
function warm(cold: Contender): Contender {
  return { ...cold, id: `${cold.id}-warm`, warmUps: WARM_UPS };
}
const idle = contender('idle', 'idle', { removes: 'nothing', costs: 0, felt: REPETITIONS });
const nice = contender('stalesweep-nice-1', 'stalesweep', { settings: { nice: 1 }, felt: REPETITIONS });
const smallBudget = contender('stalesweep-64MB', 'stalesweep', { settings: { memoryBudget: '64MB' }, costs: 1 });
const byReplica = contender('stalesweep-replica', 'stalesweep', { settings: { readFrom: 'replica' } });
const command = contender('command', 'command', { costs: 1 });
const byHand = contender('by-hand', 'byHand', { removes: 'all' });

function base(schema: SchemaName, coordinators: number, share: number): Omit<Case, 'id' | 'group' | 'contenders'> {
  return {
    data: 'field',
    schema,
    coordinators,
    stale: Math.round(coordinators * share),
    foreign: 0,
    acks: ACKS,
    padding: 0,
    ttlMs: null,
    way: null,
  };
}
/** Nearly everybody: the case in which the most is to be done. */
const MOST = 0.99;

/** Small runs, for a process that has just started and for one that has not. */
export function tenThousand(schema: SchemaName, coordinators = 10_000): Case {
  return {
    id: `${schema}-${coordinators}`,
    group: '10k',
    ...base(schema, coordinators, MOST),
    contenders: [
      felt(floor, REPETITIONS),
      felt(stalesweep, REPETITIONS),
      warm(floor),
      warm(stalesweep),
      felt(byHand, REPETITIONS),
      idle,
    ],
  };
}

export function hundredThousand(schema: 'flat' | 'swarm'): Case {
  return {
    id: `${schema}-100000`,
    group: '100k',
    ...base(schema, 100_000, MOST),
    contenders: [felt(floor, REPETITIONS), felt(stalesweep, REPETITIONS), nice, felt(byHand, 1), idle],
  };
}

/** The same number, with something else about them. */
export function other(id: string, schema: SchemaName, given: Partial<Sample>): Case {
  return {
    id,
    group: '100k',
    ...base(schema, 100_000, MOST),
    ...given,
    contenders: [floor, stalesweep],
  };
}

/** Data that what people write instead can handle, too. */
export const easy: Case = {
  id: 'easy-100000',
  group: 'easy',
  ...base('flat', 100_000, MOST),
  data: 'easy',
  contenders: [
    felt(floor, 1),
    felt(stalesweep, 1),
    felt(byHand, 1),
    felt(contender('loop', 'loop', { costs: 1 }), 1),
    felt(contender('one-script', 'oneScript'), 1),
    { ...idle, felt: 1 },
  ],
};

export function million(schema: 'flat' | 'swarm'): Case {
  return {
    id: `${schema}-1000000`,
    group: '1m',
    ...base(schema, 1_000_000, MOST),
    contenders: [
      felt(times(floor, OF_MILLIONS), 1),
      felt(times(stalesweep, OF_MILLIONS), 1),
      smallBudget,
      times(byHand, 1),
      { ...idle, felt: 1 },
    ],
  };
}

/** For the memory that a real command takes. */
export const twoMillion: Case = {
  id: 'flat-2000000',
  group: '2m',
  ...base('flat', 2_000_000, MOST),
  contenders: [command],
};

/** What most runs meet: hardly anybody stale, in a Redis that serves others as well. */
export function everyday(name: 'everyday' | 'nothing-stale', schema: 'flat' | 'swarm', way: Way | null): Case {
  return {
    id: `${name}-${schema}${way === null ? '' : `-${nameOfWay(way)}`}`,
    group: 'everyday',
    ...base(schema, 100_000, name === 'everyday' ? 0.001 : 0),
    foreign: FOREIGN,
    way,
    contenders:
      way === null
        ? [felt(scanPass, REPETITIONS), felt(stalesweep, REPETITIONS), idle]
        : [times(scanPass, OF_MILLIONS), times(stalesweep, OF_MILLIONS)],
  };
}

/** What a primary has to do whose replica is looked at. */
export function replicated(name: 'nothing-stale' | 'most-stale', schema: 'flat' | 'swarm'): Case {
  return {
    id: `replica-${name}-${schema}`,
    group: 'replica',
    ...base(schema, 100_000, name === 'most-stale' ? MOST : 0),
    foreign: name === 'most-stale' ? 0 : FOREIGN,
    hasReplica: true,
    contenders: name === 'most-stale' ? [floor, stalesweep, byReplica] : [scanPass, byReplica],
  };
}

/** Nearly everybody stale, and Redis far away. */
export function behind(way: Way, schema: 'flat' | 'swarm', coordinators: number): Case {
  const trials = coordinators * way.roundTripMs < 1_000_000 ? REPETITIONS : OF_MILLIONS;
  return {
    id: `${schema}-${coordinators}-${nameOfWay(way)}`,
    group: 'ways',
    ...base(schema, coordinators, MOST),
    way,
    contenders: [times(floor, trials), times(stalesweep, trials)],
  };
}

/** Nearly everybody stale, on a cluster. */
export function onCluster(coordinators: number): Case {
  return {
    id: `cluster-swarm-${coordinators}`,
    group: 'cluster',
    ...base('swarm', coordinators, MOST),
    primaries: 3,
    contenders: [
      times(contender('floor', 'clusterFloor'), OF_MILLIONS),
      times(contender('floor-by-slot', 'clusterFloor', { settings: { bySlot: true } }), OF_MILLIONS),
      times(stalesweep, OF_MILLIONS),
    ],
  };
}

/** Coordinators unlike most: what a key costs a call is not known beforehand. */
export function unusual(id: string, coordinators: number, sample: Partial<Sample>): Case {
  return {
    id,
    group: 'unusual',
    ...base('flat', coordinators, MOST),
    ...sample,
    contenders: [floor, felt(stalesweep, REPETITIONS), idle],
  };
}

const SHARES = new Map([
  [0.1, 'tenth'],
  [0.5, 'half'],
]);

/** `10ms-half`: the round trip, and the share that the jitter is of it; or `25-100ms`. */
function nameOfWay({ roundTripMs, jitter }: Way): string {
  const share = SHARES.get(jitter);
  return share === undefined ? `${roundTripMs}-${roundTripMs * (1 + jitter)}ms` : `${roundTripMs}ms-${share}`;
}

/** The same case with less patience. */
export function shortened(one: Case, costs: number, felt: number, forMs: number): Case {
  return {
    ...one,
    contenders: one.contenders.map((contender) => ({
      ...contender,
      costs: Math.min(contender.costs, costs),
      felt: Math.min(contender.felt, felt),
      settings: contender.program === 'idle' ? { forMs } : contender.settings,
    })),
  };
}

/** The same case with these contenders alone. */
export function among(one: Case, ids: readonly string[]): Case {
  return {
    ...one,
    contenders: one.contenders.filter(({ id }) => ids.includes(id)),
  };
}
