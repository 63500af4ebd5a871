/** page: `docs/benchmarks.md`, made of the results alone, so that its text can change without measuring again. */
import type { DayResult } from '../day.ts';
import type { CaseResult, Machine, Results } from '../results.ts';
import { isSize } from './figures.ts';
import { HOW } from './how.ts';
import { aimsTable, costTable, failuresOf, feltTable, growthTable, type Table, waysTable } from './tables.ts';
import { TRIED } from './tried.ts';
import { countText, sentenceOf, titleOf } from './words.ts';

function markdown({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

function sectionOf(one: CaseResult): string {
  return [
    `### ${titleOf(one)}`,
    sentenceOf(one),
    markdown(costTable(one)),
    ...(feltTable(one).rows.length > 0 ? [markdown(feltTable(one))] : []),
    ...failuresOf(one),
  ].join('\n\n');
}

function machineLine({ cpu, cores, memoryBytes, system, node, redis }: Machine): string {
  return `${cpu}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB; ${system}; Node.js ${node}; Redis ${redis}`;
}

/** Which case the plot of pings shows: the one with the most contenders to compare, where it was measured. */
export function plottedCase(cases: readonly CaseResult[]): CaseResult | undefined {
  return cases
    .filter(({ contenders }) => contenders.some(({ felt }) => felt.length > 0))
    .toSorted((a, b) => b.contenders.length - a.contenders.length)[0];
}

function growth(cases: readonly CaseResult[]): string[] {
  return [
    '## As they become more',
    ...(cases.some(isSize) ? ['![time over the number of coordinators](benchmarks/time.svg)'] : []),
    "Redis' CPU time per coordinator. What stalesweep takes more than the floor is the price of proof: finding whose each key is, and comparing the heartbeats again in the step that removes.",
    markdown(growthTable(cases)),
  ];
}

function dayText({
  hours,
  coordinators,
  foreign,
  deathsPerHour,
  fullPassOf,
  measuredAt,
  schedules,
}: DayResult): string {
  const passes = schedules.map(
    ({ everyMinutes, passes: { full, due, none }, deaths }) =>
      `every ${everyMinutes} min ${full} of ${full + due + none} runs looked at everybody, ${due} at a few, ${none} at nobody, and ${deaths} deaths were found as early as by full passes`,
  );
  return `The day is ${hours} hours long, with ${countText(coordinators)} coordinators that beat every 30 s among ${countText(foreign)} other keys, of whom ${deathsPerHour} die in an hour (${measuredAt.slice(0, 10)}): ${passes.join('; ')}. Full passes are all alike: every ${fullPassOf}th was made.`;
}

/** The page. */
export function renderPage({ machine, cases, history, day = null }: Results): string {
  const dates = [...cases.map(({ measuredAt }) => measuredAt), ...(history === null ? [] : [history.measuredAt])];
  const days = [...new Set(dates.map((at) => at.slice(0, 10)))].sort();
  const plotted = plottedCase(cases);
  const far = cases.filter(({ way }) => way !== null);
  const parts = [
    '# Benchmarks',
    `Made by \`npm run bench\` on ${days.join(', ')}, at last on ${machineLine(machine)}. The figures behind it: [results.json](benchmarks/results.json). Each case says when it was measured, at which commit, on which processor, and how busy the machine was.`,
    'Look at the ratios, not at the times: all contenders of a table ran side by side, on the same data, on the same machine; from case to case the machine may be another one. What is not listed here was not measured yet on these data.',
    '## What was aimed at',
    markdown(aimsTable(cases, history, day)),
    ...(history === null
      ? []
      : [
          `The figures of past runs are of ${history.measuredAt.slice(0, 10)}, of nobody stale among 10,000 coordinators.`,
        ]),
    ...(day === null ? [] : [dayText(day)]),
    ...growth(cases),
    ...(plotted === undefined
      ? []
      : [
          '## What a second client feels',
          `The slowest pings during one trial (${titleOf(plotted)}):`,
          '![latency of pings over time, for each contender](benchmarks/pings.svg)',
        ]),
    ...(far.length === 0 ? [] : ['## Behind a way', markdown(waysTable(far)), ...far.flatMap(failuresOf)]),
    '## All other cases',
    ...cases.filter(({ way }) => way === null).map(sectionOf),
    HOW,
    TRIED,
  ];
  return `${parts.join('\n\n')}\n`;
}
