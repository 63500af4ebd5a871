/** figures: the numbers a reader looks for first, made of the results. */
import { type CaseResult, type ContenderResult, type Cost, median, medianRatio } from '../results.ts';

/** The contender whose cost all others of a case are compared with. */
export const referenceOf = ({ contenders }: CaseResult): string =>
  contenders.some(({ id }) => id === 'scan-pass') ? 'scan-pass' : 'floor';

export const contenderOf = (one: CaseResult | undefined, id: string): ContenderResult | undefined =>
  one?.contenders.find((contender) => contender.id === id);

export type Measure = 'wallMs' | 'cpuMs';

/** How much more one contender took than another; `null` where either has no trials. */
export const ratioOf = (one: CaseResult | undefined, over: string, under: string, measure: Measure): number | null => {
  const of = (id: string) => (contenderOf(one, id)?.costs ?? []).map((cost) => cost[measure]);
  return medianRatio(of(over), of(under));
};

export const medianCost = (contender: ContenderResult | undefined, read: (cost: Cost) => number | null) =>
  median((contender?.costs ?? []).flatMap((cost) => read(cost) ?? []));

/** The most of all trials; `null` where none knows. */
export const worstCost = (contender: ContenderResult | undefined, read: (cost: Cost) => number | null) => {
  const known = (contender?.costs ?? []).flatMap((cost) => read(cost) ?? []);
  return known.length === 0 ? null : Math.max(...known);
};

/** The 99th percentile of pings in a typical trial; `null` where nobody pinged. */
export const p99Of = (one: CaseResult | undefined, id: string): number | null =>
  median((contenderOf(one, id)?.felt ?? []).map(({ p99Ms }) => p99Ms));

/** Whether nothing but its size sets a case apart from others. */
export const isSize = (one: CaseResult): boolean =>
  one.id === `${one.schema}-${one.coordinators}` &&
  one.schema !== 'claude-flow-novice' &&
  contenderOf(one, 'floor') !== undefined;
