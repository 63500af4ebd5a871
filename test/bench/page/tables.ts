/** tables: the results as rows of text, for the page and for a terminal. */
import { CALL_BUDGET_MS } from '../cases.ts';
import type { HistoryResult } from '../history.ts';
import { type CaseResult, type ContenderResult, type Felt, median } from '../results.ts';
import { type Aim, aimsOf, contenderOf, medianCost, ratioOf, referenceOf } from './figures.ts';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** How contenders are called in tables and plots. */
export const LABELS: Readonly<Record<string, string>> = {
  floor: 'the floor',
  'floor-warm': 'the floor, warm',
  'scan-pass': 'one SCAN pass',
  stalesweep: 'stalesweep',
  'stalesweep-warm': 'stalesweep, warm',
  'stalesweep-nice-1': 'stalesweep, nice: 1',
  'stalesweep-64MB': 'stalesweep, memoryBudget: 64MB',
  'by-hand': 'redis-cli | xargs',
  loop: 'scanStream, GET, DEL',
  'one-script': 'one Lua call',
  idle: 'nobody (idle)',
};

export const labelOf = (id: string): string => LABELS[id] ?? id;

const NOTHING = '–';

const or = (value: number | null, show: (value: number) => string): string => (value === null ? NOTHING : show(value));

/** Three digits and a unit: `1.44 s`, `0.18 ms`. */
const span = (ms: number): string => {
  if (ms >= 1000) return `${(ms / 1000).toPrecision(3)} s`;
  return `${ms >= 100 ? Math.round(ms) : ms.toPrecision(ms < 0.1 ? 1 : ms < 1 ? 2 : 3)} ms`;
};

const times = (ratio: number): string => `${ratio.toFixed(2)}×`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const count = (value: number): string => Math.round(value).toLocaleString('en-US');
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** A warm contender is compared with a warm one. */
const referenceFor = (one: CaseResult, id: string): string =>
  id.endsWith('-warm') ? `${referenceOf(one)}-warm` : referenceOf(one);

const costRow = (one: CaseResult, contender: ContenderResult): string[] => {
  const { id, costs } = contender;
  const under = referenceFor(one, id);
  return [
    labelOf(id),
    or(
      medianCost(contender, ({ wallMs }) => wallMs),
      span,
    ),
    or(ratioOf(one, id, under, 'wallMs'), times),
    or(
      medianCost(contender, ({ cpuMs }) => cpuMs),
      span,
    ),
    or(ratioOf(one, id, under, 'cpuMs'), times),
    or(
      medianCost(contender, ({ calls }) => calls),
      count,
    ),
    or(
      medianCost(contender, ({ slowestCallMs }) => slowestCallMs),
      (ms) => (ms === 0 ? '< 0.1 ms' : span(ms)),
    ),
    or(
      medianCost(contender, ({ overBudget, calls }) => overBudget / calls),
      percent,
    ),
    or(
      medianCost(contender, ({ rssBytes }) => rssBytes),
      megabytes,
    ),
    `${costs.length}`,
  ];
};

/** What each contender of a case took: medians, and over the reference side by side. */
export const costTable = (one: CaseResult): Table => {
  const over = `over ${labelOf(referenceOf(one))}`;
  return {
    head: [
      'contender',
      'time',
      over,
      'Redis CPU',
      over,
      'calls',
      'slowest call',
      `> ${2 * CALL_BUDGET_MS} ms`,
      'RSS',
      'trials',
    ],
    rows: one.contenders.filter(({ costs }) => costs.length > 0).map((contender) => costRow(one, contender)),
  };
};

const feltRow = (one: CaseResult, { id, felt }: ContenderResult): string[] => {
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
    refused === 0 ? NOTHING : count(refused),
    `${felt.length}`,
  ];
};

/** What a second client feels meanwhile. */
export const feltTable = (one: CaseResult): Table => ({
  head: ['meanwhile', 'p50', 'p99', 'p99 over idle', 'max', 'refused (BUSY)', 'trials'],
  rows: one.contenders.filter(({ felt }) => felt.length > 0).map((contender) => feltRow(one, contender)),
});

/** What could not be measured, a sentence each. */
export const failuresOf = (one: CaseResult): string[] =>
  one.contenders.flatMap(({ id, failed, costs }) =>
    failed === null ? [] : [`${labelOf(id)} failed after ${costs.length} trials: ${failed}`],
  );

const SHOWN: Readonly<Record<Aim['unit'], (value: number) => string>> = {
  '×': times,
  MB: (value) => `${Math.round(value)} MB`,
  '%': (value) => `${value.toFixed(2)} %`,
  ms: (value) => `${value.toFixed(1)} ms`,
};

/** What was aimed at beside what was reached. */
export const aimsTable = (cases: readonly CaseResult[], history: HistoryResult | null): Table => ({
  head: ['what', 'measured', 'aim', ''],
  rows: aimsOf(cases, history).map(({ what, measured, atMost, unit }) => {
    const show = (value: number) => SHOWN[unit](value);
    return [what, or(measured, show), `≤ ${show(atMost)}`, or(measured, (value) => (value <= atMost ? '✓' : 'missed'))];
  }),
});

/** Redis' CPU per coordinator as they become more: it must not grow. */
export const growthTable = (cases: readonly CaseResult[]): Table => ({
  head: ['schema', 'coordinators', 'stalesweep', 'the floor', 'over the floor', 'ratio'],
  rows: cases
    .filter((one) => one.foreign === 0 && contenderOf(one, 'floor'))
    .map((one) => {
      const each = (id: string) => {
        const cpuMs = medianCost(contenderOf(one, id), (cost) => cost.cpuMs);
        return cpuMs === null ? null : (cpuMs * 1000) / one.coordinators;
      };
      const own = each('stalesweep');
      const least = each('floor');
      const micros = (value: number) => `${value.toFixed(1)} µs`;
      return [
        one.schema,
        count(one.coordinators),
        or(own, micros),
        or(least, micros),
        own === null || least === null ? NOTHING : micros(own - least),
        or(ratioOf(one, 'stalesweep', 'floor', 'cpuMs'), times),
      ];
    }),
});
