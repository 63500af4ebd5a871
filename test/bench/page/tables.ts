/** tables: the results as rows of text, for the page and for a terminal of 80 columns. */
import { CALL_BUDGET_MS } from '../cases.ts';
import type { DayResult } from '../day.ts';
import type { HistoryResult } from '../history.ts';
import { type CaseResult, type ContenderResult, type Felt, median } from '../results.ts';
import { type Aim, aimsOf } from './aims.ts';
import { contenderOf, medianCost, ratioOf, referenceOf, worstCost } from './figures.ts';
import { countText, labelOf, megabytes, NOTHING, or, percent, span, times, titleOf, wayText } from './words.ts';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A warm contender is compared with a warm one. */
function referenceFor(one: CaseResult, id: string): string {
  return id.endsWith('-warm') ? `${referenceOf(one)}-warm` : referenceOf(one);
}

function costCells(one: CaseResult, contender: ContenderResult) {
  const under = referenceFor(one, contender.id);
  const slowest = worstCost(contender, ({ slowestCallMs }) => slowestCallMs);
  return {
    who: labelOf(contender.id),
    time: or(
      medianCost(contender, (cost) => cost.wallMs),
      span,
    ),
    timeOver: or(ratioOf(one, contender.id, under, 'wallMs'), times),
    cpu: or(
      medianCost(contender, (cost) => cost.cpuMs),
      span,
    ),
    cpuOver: or(ratioOf(one, contender.id, under, 'cpuMs'), times),
    calls: or(
      medianCost(contender, (cost) => cost.calls),
      countText,
    ),
    slowest: or(slowest, (ms) => (ms === 0 ? '<0.1 ms' : span(ms))),
    over: or(
      medianCost(contender, ({ overBudget, calls }) => overBudget / calls),
      percent,
    ),
    away: or(
      worstCost(contender, (cost) => cost.awayMs),
      span,
    ),
    rss: or(
      medianCost(contender, (cost) => cost.rssBytes),
      megabytes,
    ),
    trials: `${contender.costs.length}`,
  };
}

function costed({ contenders }: CaseResult): ContenderResult[] {
  return contenders.filter(({ costs }) => costs.length > 0);
}

/** What each contender of a case took: medians, and over the reference side by side; of calls the slowest of all trials. */
export function costTable(one: CaseResult): Table {
  const over = `/ ${labelOf(referenceOf(one))}`;
  const calls = ['calls', 'slowest call', `> ${2 * CALL_BUDGET_MS} ms`, 'waits for the worker'];
  return {
    head: ['contender', 'time', over, 'Redis CPU', over, ...calls, 'RSS', 'trials'],
    rows: costed(one).map((contender) => Object.values(costCells(one, contender))),
  };
}

/** The same for a terminal. */
export function shortCostTable(one: CaseResult): Table {
  return {
    head: ['', 'time', '×', 'CPU', '×', 'slowest', 'waits', 'RSS', 'n'],
    rows: costed(one).map((contender) => {
      const { calls: _, over: __, ...shown } = costCells(one, contender);
      return Object.values(shown);
    }),
  };
}

function feltRow(one: CaseResult, { id, felt }: ContenderResult): string[] {
  const of = (read: (one: Felt) => number) => median(felt.map(read));
  const p99 = of(({ p99Ms }) => p99Ms);
  const idle = median((contenderOf(one, 'idle')?.felt ?? []).map(({ p99Ms }) => p99Ms));
  const refused = of((one) => one.refused) ?? 0;
  return [
    labelOf(id),
    or(
      of(({ p50Ms }) => p50Ms),
      span,
    ),
    or(p99, span),
    p99 === null || idle === null ? NOTHING : times(p99 / idle),
    or(
      of(({ maxMs }) => maxMs),
      span,
    ),
    refused === 0 ? NOTHING : countText(refused),
    `${felt.length}`,
  ];
}

/** What a second client feels meanwhile. */
export function feltTable(one: CaseResult): Table {
  return {
    head: ['meanwhile, pings', 'p50', 'p99', '/ idle', 'max', 'BUSY', 'trials'],
    rows: one.contenders.filter(({ felt }) => felt.length > 0).map((contender) => feltRow(one, contender)),
  };
}

/** What could not be measured, a sentence each. */
export function failuresOf(one: CaseResult): string[] {
  return one.contenders.flatMap(({ id, failed, costs }) =>
    failed === null ? [] : [`${labelOf(id)} failed after ${costs.length} trials: ${failed}`],
  );
}

const SHOWN: Readonly<Record<Aim['unit'], (value: number) => string>> = {
  '×': times,
  MB: (value) => `${Math.round(value)} MB`,
  '%': (value) => `${value.toFixed(2)} %`,
  ms: (value) => `${value.toFixed(value < 99.95 ? 1 : 0)} ms`,
};

/** What was aimed at beside what was reached. */
export function aimsTable(
  cases: readonly CaseResult[],
  history: HistoryResult | null,
  day: DayResult | null = null,
): Table {
  return {
    head: ['case', 'what', 'measured', 'aim', ''],
    rows: aimsOf(cases, history, day).map(({ where, what, measured, atMost, unit }) => {
      const show = (value: number) => SHOWN[unit](value);
      const kept = measured === null || atMost === null ? NOTHING : measured <= atMost ? '✓' : 'missed';
      return [where, what, or(measured, show), or(atMost, (value) => `≤ ${show(value)}`), kept];
    }),
  };
}

/** The cases behind a way, a row each. */
export function waysTable(cases: readonly CaseResult[]): Table {
  return {
    head: [
      'data',
      'way',
      'stalesweep',
      'calls',
      'floor or pass',
      'calls',
      'ratio',
      'waits for the worker',
      'trials',
      'load',
    ],
    rows: cases.flatMap((one) => {
      if (one.way === null) return [];
      const [own, least] = ['stalesweep', referenceOf(one)].map((id) => contenderOf(one, id));
      const time = (contender: ContenderResult | undefined) =>
        or(
          medianCost(contender, (cost) => cost.wallMs),
          span,
        );
      const calls = (contender: ContenderResult | undefined) =>
        or(
          medianCost(contender, (cost) => cost.calls),
          countText,
        );
      return [
        [
          titleOf({ ...one, way: null }),
          wayText(one.way),
          time(own),
          calls(own),
          time(least),
          calls(least),
          or(ratioOf(one, 'stalesweep', referenceOf(one), 'wallMs'), times),
          or(
            worstCost(own, (cost) => cost.awayMs),
            span,
          ),
          `${own?.costs.length ?? 0}`,
          `${one.load}`,
        ],
      ];
    }),
  };
}

/** Redis' CPU per coordinator as they become more: it must not grow. */
export function growthTable(cases: readonly CaseResult[]): Table {
  return {
    head: ['case', 'stalesweep', 'the floor', 'over the floor', 'ratio'],
    rows: cases
      .filter(
        (one) => one.way === null && one.data === 'field' && contenderOf(one, 'floor') && one.coordinators >= 10_000,
      )
      .map((one) => {
        const each = (id: string) => {
          const cpuMs = medianCost(contenderOf(one, id), (cost) => cost.cpuMs);
          return cpuMs === null ? null : (cpuMs * 1000) / one.coordinators;
        };
        const own = each('stalesweep');
        const least = each('floor');
        const micros = (value: number) => `${value.toFixed(1)} µs`;
        return [
          titleOf(one),
          or(own, micros),
          or(least, micros),
          own === null || least === null ? NOTHING : micros(own - least),
          or(ratioOf(one, 'stalesweep', 'floor', 'cpuMs'), times),
        ];
      }),
  };
}
