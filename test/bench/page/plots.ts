/** plots: time over size, and what a second client feels over time, as SVG that needs nothing else.
 *
 * Drawn without a background in colours that can be read on white and on black; text and lines follow the reader's colour scheme.
 */
import { createRequire } from 'node:module';
import { type CaseResult, median } from '../results.ts';
import { contenderOf, isSize } from './figures.ts';
import { labelOf } from './words.ts';

interface Chart {
  setOption(option: object): void;
  renderToSVGString(): string;
  dispose(): void;
}

const require = createRequire(import.meta.url);

/** Its own types don't pass this project's compiler settings; this is all that is used of it. */
const echarts = require('echarts') as {
  init(element: null, theme: null, options: object): Chart;
};

const TEXT = '#57606a';
const LINE = '#c8d1da';
const IN_THE_DARK = { [TEXT]: '#9da7b3', [LINE]: '#3d444d' };

const COLORS: Readonly<Record<string, string>> = {
  idle: '#8b949e',
  floor: '#8b949e',
  stalesweep: '#2f81f7',
  'stalesweep-nice-1': '#12a594',
  'by-hand': '#d29922',
  loop: '#e8590c',
  'one-script': '#d6336c',
};

const WIDTH = 860;

function themed(svg: string): string {
  const rules = Object.entries(IN_THE_DARK).map(
    ([light, dark]) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`,
  );
  return svg.replace(
    /^<svg[^>]*>/,
    (head) => `${head}<style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`,
  );
}

function draw(height: number, option: object): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, ...option });
    return themed(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

function axis(name: string, type: 'log' | 'value', format: (value: number) => string, at: number, given: object) {
  return {
    type,
    name,
    gridIndex: at,
    nameLocation: 'middle',
    nameTextStyle: { color: TEXT },
    axisLine: { show: true, lineStyle: { color: LINE } },
    axisTick: { lineStyle: { color: LINE } },
    splitLine: { lineStyle: { color: LINE, width: 0.5 } },
    axisLabel: { color: TEXT, formatter: format },
    ...given,
  };
}

/** Room for an axis' name and numbers beside each panel. */
const AXIS = 72;
const MARGIN = 24;

function columns(count: number) {
  const width = (WIDTH - MARGIN) / count - AXIS;
  return { width, leftOf: (at: number) => AXIS + at * (width + AXIS) };
}

function title(text: string, left: number, top: number) {
  return {
    text,
    left,
    top,
    textStyle: { color: TEXT, fontSize: 13, fontWeight: 'bold' },
  };
}

/** `10 ms`, `1 s`. */
function shortTime(ms: number): string {
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}
function shortCount(value: number): string {
  return value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : `${value}`;
}
/** The powers of ten around the values. */
function decades(values: readonly number[]) {
  return {
    min: 10 ** Math.floor(Math.log10(Math.min(...values))),
    max: 10 ** Math.ceil(Math.log10(Math.max(...values))),
  };
}

/** The last is drawn over the others. */
const COMPARED = ['floor', 'by-hand', 'stalesweep'];

/** Time over size, a panel per schema; `null` when no size was measured. */
export function timePlot(cases: readonly CaseResult[]): string | null {
  const sizes = cases.filter(isSize);
  if (sizes.length === 0) return null;
  const panels = [...new Set(sizes.map(({ schema }) => schema))];
  const height = 380;
  const { width, leftOf } = columns(panels.length);
  const lines = panels.flatMap((schema, at) =>
    COMPARED.map((id) => ({
      name: labelOf(id),
      type: 'line',
      xAxisIndex: at,
      yAxisIndex: at,
      symbol: 'circle',
      symbolSize: 6,
      color: COLORS[id],
      lineStyle: { width: id === 'stalesweep' ? 3 : 2, type: id === 'floor' ? 'dashed' : 'solid' },
      data: sizes
        .filter((one) => one.schema === schema)
        .toSorted((a, b) => a.coordinators - b.coordinators)
        .flatMap((one) => {
          const wallMs = median((contenderOf(one, id)?.costs ?? []).map((cost) => cost.wallMs));
          return wallMs === null ? [] : [[one.coordinators, wallMs]];
        }),
    })),
  );
  const values = lines.flatMap(({ data }) => data.map((point) => point[1] ?? 1));
  const coordinators = sizes.map((one) => one.coordinators);
  return draw(height, {
    title: panels.map((schema, at) => title(`schema ${schema}`, leftOf(at), 44)),
    legend: { top: 8, itemGap: 28, textStyle: { color: TEXT }, itemStyle: { borderWidth: 0 } },
    grid: panels.map((_, at) => ({ left: leftOf(at), width, top: 76, bottom: 56 })),
    xAxis: panels.map((_, at) =>
      axis('coordinators', 'log', shortCount, at, { nameGap: 30, ...decades(coordinators) }),
    ),
    yAxis: panels.map((_, at) =>
      axis(at === 0 ? 'time' : '', 'log', shortTime, at, { nameGap: 48, ...decades(values) }),
    ),
    series: lines,
  });
}

const FELT = ['idle', 'floor', 'stalesweep', 'stalesweep-nice-1', 'by-hand', 'loop', 'one-script'];
const COLUMNS = 2;
const ROW = 190;

/** The slowest pings over the time of one run, a panel per contender; all on one scale. */
export function pingsPlot(one: CaseResult): string {
  const panels = FELT.flatMap((id) => {
    const series = contenderOf(one, id)?.felt.at(-1)?.series ?? [];
    return series.length > 0 ? [{ id, series }] : [];
  });
  const latencies = panels.flatMap(({ series }) => series.map(([, latencyMs]) => latencyMs));
  const { width, leftOf } = columns(COLUMNS);
  const place = (at: number) => ({
    left: leftOf(at % COLUMNS),
    top: 20 + Math.floor(at / COLUMNS) * ROW,
  });
  return draw(Math.ceil(panels.length / COLUMNS) * ROW + 20, {
    title: panels.map(({ id }, at) => title(labelOf(id), place(at).left, place(at).top - 12)),
    grid: panels.map((_, at) => ({
      left: place(at).left,
      top: place(at).top + 16,
      width,
      height: ROW - 80,
    })),
    xAxis: panels.map((_, at) =>
      axis('time since the start', 'value', shortTime, at, { min: 0, nameGap: 24, splitNumber: 4 }),
    ),
    yAxis: panels.map((_, at) => axis('ping', 'log', shortTime, at, { nameGap: 52, ...decades(latencies) })),
    series: panels.map(({ id, series }, at) => ({
      name: labelOf(id),
      type: 'line',
      xAxisIndex: at,
      yAxisIndex: at,
      showSymbol: series.length < 3,
      color: COLORS[id],
      lineStyle: { width: 1.2 },
      data: series,
    })),
  });
}
