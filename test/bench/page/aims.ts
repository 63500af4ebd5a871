/** aims: what was aimed at, and what was reached. */
import { CALL_BUDGET_MS } from '../cases.ts';
import type { DayResult } from '../day.ts';
import type { HistoryResult } from '../history.ts';
import { type CaseResult, medianRatio } from '../results.ts';
import { contenderOf, type Measure, medianCost, p99Of, ratioOf, worstCost } from './figures.ts';
import { countText, titleOf } from './words.ts';

/** One thing aimed at. Without a measured value it was not measured this time. */
export interface Aim {
  /** The case. */
  readonly where: string;
  readonly what: string;
  readonly measured: number | null;
  /** `null` where nothing was aimed at. */
  readonly atMost: number | null;
  readonly unit: '×' | 'MB' | '%' | 'ms';
}

/** How much more than the floor, or than one SCAN pass, a run may cost. Who is not the schema `swarm` has no second name to look up. */
const OVER_FLOOR = { flat: { wallMs: 2, cpuMs: 1.7 }, swarm: { wallMs: 2.2, cpuMs: 1.9 } };
const OVER_PASS = { everyday: { flat: 1.6, swarm: 2 }, nothing: { flat: 1.3, swarm: 1.3 } };
/** On a cluster the floor needs a call for each slot and page, and so does what people write. */
const OVER_CLUSTER_FLOOR = 2;
const BEHIND_A_WAY = 1.6;
const BEHIND_AN_UNSTEADY_WAY = 2;
/** From this round trip on; with less it is not the way that takes the time. */
const A_WAY_MS = 2;
const WARM_OVER_FLOOR = 2.5;
const NICE_OVER_IDLE = 3;
const MOST_MEGABYTES = 512;

function kindOf({ schema }: CaseResult): 'flat' | 'swarm' {
  return schema === 'swarm' ? 'swarm' : 'flat';
}

function overFloor(one: CaseResult, measure: Measure) {
  return ratioOf(one, 'stalesweep', 'floor', measure);
}

function sweepAims(one: CaseResult): Aim[] {
  const where = titleOf(one);
  const aims: Aim[] = [];
  const isOnCluster = one.primaries !== undefined;
  if (one.way === null && (isOnCluster || one.coordinators >= 100_000) && contenderOf(one, 'floor')) {
    const ofCluster = { wallMs: OVER_CLUSTER_FLOOR, cpuMs: OVER_CLUSTER_FLOOR };
    const { wallMs, cpuMs } = isOnCluster ? ofCluster : OVER_FLOOR[kindOf(one)];
    aims.push({ where, what: 'time / floor', measured: overFloor(one, 'wallMs'), atMost: wallMs, unit: '×' });
    aims.push({ where, what: 'Redis CPU / floor', measured: overFloor(one, 'cpuMs'), atMost: cpuMs, unit: '×' });
  }
  if (contenderOf(one, 'stalesweep-warm')) {
    // Both warm: a process that has just started would make a slow floor.
    const measured = ratioOf(one, 'stalesweep-warm', 'floor-warm', 'wallMs');
    aims.push({ where, what: 'warm time / floor', measured, atMost: WARM_OVER_FLOOR, unit: '×' });
  }
  if (contenderOf(one, 'stalesweep-nice-1')) {
    const during = p99Of(one, 'stalesweep-nice-1');
    const idle = p99Of(one, 'idle');
    const measured = during === null || idle === null ? null : during / idle;
    aims.push({ where, what: 'nice: 1, p99 / idle', measured, atMost: NICE_OVER_IDLE, unit: '×' });
  }
  return aims;
}

function wayAims(one: CaseResult): Aim[] {
  if (one.way === null || !contenderOf(one, 'floor')) return [];
  const { roundTripMs, jitter } = one.way;
  const atMost = jitter > 1 ? BEHIND_AN_UNSTEADY_WAY : roundTripMs < A_WAY_MS ? null : BEHIND_A_WAY;
  return [{ where: titleOf(one), what: 'time / floor', measured: overFloor(one, 'wallMs'), atMost, unit: '×' }];
}

function lookAims(one: CaseResult): Aim[] {
  if (!contenderOf(one, 'scan-pass')) return [];
  const atMost = OVER_PASS[one.stale === 0 ? 'nothing' : 'everyday'][kindOf(one)];
  const measured = ratioOf(one, 'stalesweep', 'scan-pass', 'wallMs');
  return [{ where: titleOf(one), what: 'time / SCAN pass', measured, atMost, unit: '×' }];
}

function memoryAims(one: CaseResult): Aim[] {
  if (one.coordinators < 1_000_000) return [];
  const worker = contenderOf(one, 'stalesweep') ?? contenderOf(one, 'command');
  const bytes = medianCost(worker, ({ rssBytes }) => rssBytes);
  const measured = bytes === null ? null : bytes / 1e6;
  return [{ where: titleOf(one), what: 'peak RSS', measured, atMost: MOST_MEGABYTES, unit: 'MB' }];
}

/** How much a history may slow a run by, since no two runs take the same time. */
const WITH_HISTORY = 1.1;
const FIRST_PAGE_MS = 300;

function historyAims(history: HistoryResult | null): Aim[] {
  if (history === null) return [];
  const { past, runMs, dashboardMs } = history;
  const where = `${countText(past)} past runs`;
  const ratio = medianRatio(runMs.with, runMs.without);
  const page = (what: string, times: readonly number[]): Aim => ({
    where,
    what,
    measured: Math.max(...times),
    atMost: FIRST_PAGE_MS,
    unit: 'ms',
  });
  return [
    { where, what: 'a run / without', measured: ratio, atMost: WITH_HISTORY, unit: '×' },
    page('first page, slowest', dashboardMs.first),
    page('queue page, slowest', dashboardMs.queue),
  ];
}

/** What a day of scheduled runs may take of Redis, as a share of what full passes take, by the minutes between two. */
const OF_FULL_PASSES: Readonly<Record<number, number>> = { 1: 0.15, 5: 0.55 };

function dayAims(day: DayResult | null): Aim[] {
  return (day?.schedules ?? []).map(({ everyMinutes, cpuMs }) => ({
    where: `a day, every ${everyMinutes} min`,
    what: 'Redis CPU / full passes',
    measured: cpuMs.horizon / cpuMs.full,
    atMost: OF_FULL_PASSES[everyMinutes] ?? null,
    unit: '×',
  }));
}

/** The worst of all cases and trials: an average would hide the one that matters. */
function callAims(cases: readonly CaseResult[]): Aim[] {
  const own = cases.flatMap(({ contenders }) =>
    contenders.filter(({ id }) => id.startsWith('stalesweep') || id === 'command'),
  );
  const worst = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  const where = 'the worst case';
  const over = worst(own.map((one) => medianCost(one, ({ overBudget, calls }) => (100 * overBudget) / calls)));
  const slowest = worst(own.map((one) => worstCost(one, ({ slowestCallMs }) => slowestCallMs)));
  const away = worst(own.map((one) => worstCost(one, ({ awayMs }) => awayMs)));
  return [
    { where, what: `calls above ${2 * CALL_BUDGET_MS} ms`, measured: over, atMost: 1, unit: '%' },
    { where, what: 'the slowest call', measured: slowest, atMost: 10 * CALL_BUDGET_MS, unit: 'ms' },
    { where, what: 'wait for the worker', measured: away, atMost: null, unit: 'ms' },
  ];
}

/** All of them, in the order of the cases. */
export function aimsOf(
  cases: readonly CaseResult[],
  history: HistoryResult | null,
  day: DayResult | null = null,
): Aim[] {
  return [
    ...cases.flatMap((one) => [...sweepAims(one), ...wayAims(one), ...lookAims(one), ...memoryAims(one)]),
    ...callAims(cases),
    ...dayAims(day),
    ...historyAims(history),
  ];
}
