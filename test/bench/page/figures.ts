/** figures: the numbers a reader looks for first, made of the results; and what was aimed at. */
import { CALL_BUDGET_MS } from '../cases.ts';
import type { HistoryResult } from '../history.ts';
import { type CaseResult, type ContenderResult, type Cost, median, medianRatio } from '../results.ts';

/** The contender whose cost all others of a case are compared with. */
export const referenceOf = ({ contenders }: CaseResult): string =>
  contenders.some(({ id }) => id === 'floor') ? 'floor' : 'scan-pass';

export const contenderOf = (one: CaseResult | undefined, id: string): ContenderResult | undefined =>
  one?.contenders.find((contender) => contender.id === id);

type Measure = 'wallMs' | 'cpuMs';

/** How much more one contender took than another; `null` where either has no trials. */
export const ratioOf = (one: CaseResult | undefined, over: string, under: string, measure: Measure): number | null => {
  const of = (id: string) => (contenderOf(one, id)?.costs ?? []).map((cost) => cost[measure]);
  return medianRatio(of(over), of(under));
};

export const medianCost = (contender: ContenderResult | undefined, read: (cost: Cost) => number | null) =>
  median((contender?.costs ?? []).flatMap((cost) => read(cost) ?? []));

const p99Of = (one: CaseResult | undefined, id: string): number | null =>
  median((contenderOf(one, id)?.felt ?? []).map(({ p99Ms }) => p99Ms));

/** One thing aimed at. Without a measured value it was not measured this time. */
export interface Aim {
  readonly what: string;
  readonly measured: number | null;
  readonly atMost: number;
  readonly unit: '×' | 'MB' | '%' | 'ms';
}

/** How much more than the floor, or than one SCAN pass, each schema may cost. */
const OVER_FLOOR = { flat: { wallMs: 1.6, cpuMs: 1.4 }, swarm: { wallMs: 2, cpuMs: 1.8 } };
const OVER_PASS = { everyday: { flat: 1.6, swarm: 2.4 }, 'nothing-stale': { flat: 1.3, swarm: 1.3 } };
const WARM_OVER_FLOOR = 2.5;
const NICE_OVER_IDLE = 3;
const MOST_MEGABYTES = 512;

const thousands = (count: number): string => count.toLocaleString('en-US');

const sweepAims = (one: CaseResult): Aim[] => {
  const where = `${one.schema}, ${thousands(one.coordinators)}`;
  const aims: Aim[] = [];
  if (one.coordinators >= 100_000 && contenderOf(one, 'floor')) {
    const { wallMs, cpuMs } = OVER_FLOOR[one.schema];
    const ratio = (measure: Measure) => ratioOf(one, 'stalesweep', 'floor', measure);
    aims.push({ what: `${where}: time, over the floor`, measured: ratio('wallMs'), atMost: wallMs, unit: '×' });
    aims.push({ what: `${where}: Redis CPU, over the floor`, measured: ratio('cpuMs'), atMost: cpuMs, unit: '×' });
  }
  if (contenderOf(one, 'stalesweep-warm')) {
    // Both warm: a process that has just started would make a slow floor.
    const measured = ratioOf(one, 'stalesweep-warm', 'floor-warm', 'wallMs');
    aims.push({
      what: `${where}, both warm: time, over the floor`,
      measured,
      atMost: WARM_OVER_FLOOR,
      unit: '×',
    });
  }
  if (contenderOf(one, 'stalesweep-nice-1')) {
    const during = p99Of(one, 'stalesweep-nice-1');
    const idle = p99Of(one, 'idle');
    const measured = during === null || idle === null ? null : during / idle;
    aims.push({ what: `${where}, \`nice: 1\`: p99 of a ping, over idle`, measured, atMost: NICE_OVER_IDLE, unit: '×' });
  }
  return aims;
};

const memoryAims = (one: CaseResult): Aim[] => {
  const bytes = medianCost(contenderOf(one, 'stalesweep'), ({ rssBytes }) => rssBytes);
  const measured = bytes === null ? null : bytes / 1e6;
  const what = `${one.schema}, ${thousands(one.coordinators)}: the worker's peak memory (RSS)`;
  return one.coordinators >= 1_000_000 ? [{ what, measured, atMost: MOST_MEGABYTES, unit: 'MB' }] : [];
};

const lookAims = (one: CaseResult): Aim[] =>
  Object.entries(OVER_PASS)
    .filter(([name]) => one.id.startsWith(name))
    .map(([name, atMost]) => ({
      what: `${one.schema}, ${name.replace('-', ' ')}: time, over one SCAN pass`,
      measured: ratioOf(one, 'stalesweep', 'scan-pass', 'wallMs'),
      atMost: atMost[one.schema],
      unit: '×',
    }));

/** How much a history may slow a run by, since no two runs take the same time. */
const WITH_HISTORY = 1.1;
const FIRST_PAGE_MS = 300;

const historyAims = (history: HistoryResult | null): Aim[] => {
  if (history === null) return [];
  const { past, runMs, dashboardMs } = history;
  const among = `among ${thousands(past)} past runs`;
  const ratio = medianRatio(runMs.with, runMs.without);
  const slowest = (times: readonly number[]) => Math.max(...times);
  const page = (what: string, times: readonly number[]): Aim => ({
    what: `${what} ${among}, the slowest of ${times.length}`,
    measured: slowest(times),
    atMost: FIRST_PAGE_MS,
    unit: 'ms',
  });
  return [
    { what: `a run ${among}: time, over one without`, measured: ratio, atMost: WITH_HISTORY, unit: '×' },
    page("the dashboard's first page and its list of queues", dashboardMs.first),
    page('the page of the queue', dashboardMs.queue),
  ];
};

/** The worst of all cases: an average would hide the one that matters. */
const callAims = (cases: readonly CaseResult[]): Aim[] => {
  const own = cases.map((one) => contenderOf(one, 'stalesweep'));
  const worst = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  const over = worst(own.map((one) => medianCost(one, ({ overBudget, calls }) => (100 * overBudget) / calls)));
  const slowest = worst(own.map((one) => medianCost(one, ({ slowestCallMs }) => slowestCallMs)));
  return [
    { what: 'the worst case: calls above twice the call budget', measured: over, atMost: 1, unit: '%' },
    { what: 'the worst case: the slowest call', measured: slowest, atMost: 10 * CALL_BUDGET_MS, unit: 'ms' },
  ];
};

/** What was aimed at, and what was reached, in the order of the cases. */
export const aimsOf = (cases: readonly CaseResult[], history: HistoryResult | null): Aim[] => [
  ...cases.flatMap((one) => [...sweepAims(one), ...lookAims(one), ...memoryAims(one)]),
  ...callAims(cases),
  ...historyAims(history),
];
