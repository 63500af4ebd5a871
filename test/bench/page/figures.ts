/** figures: the numbers a reader looks for first, made of the results. */
import { type CaseResult, type ContenderResult, type Cost, median, medianRatio } from '../results.ts';

/** The contender whose cost all others of a case are compared with. */
export function referenceOf({ contenders }: CaseResult): string {
  return contenders.some(({ id }) => id === 'scan-pass') ? 'scan-pass' : 'floor';
}

export function contenderOf(one: CaseResult | undefined, id: string): ContenderResult | undefined {
  return one?.contenders.find((contender) => contender.id === id);
}

export type Measure = 'wallMs' | 'cpuMs';

/** How much more one contender took than another; `null` where either has no trials. */
export function ratioOf(one: CaseResult | undefined, over: string, under: string, measure: Measure): number | null {
  const of = (id: string) => (contenderOf(one, id)?.costs ?? []).map((cost) => cost[measure]);
  return medianRatio(of(over), of(under));
}

export function medianCost(contender: ContenderResult | undefined, read: (cost: Cost) => number | null) {
  return median((contender?.costs ?? []).flatMap((cost) => read(cost) ?? []));
}

/** The most of all trials; `null` where none knows. */
export function worstCost(contender: ContenderResult | undefined, read: (cost: Cost) => number | null) {
  const known = (contender?.costs ?? []).flatMap((cost) => read(cost) ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/** The 99th percentile of pings in a typical trial; `null` where nobody pinged. */
export function p99Of(one: CaseResult | undefined, id: string): number | null {
  return median((contenderOf(one, id)?.felt ?? []).map(({ p99Ms }) => p99Ms));
}

/** Whether nothing but its size sets a case apart from others. */
export function isSize(one: CaseResult): boolean {
  return (
    one.id === `${one.schema}-${one.coordinators}` &&
    one.schema !== 'claude-flow-novice' &&
    contenderOf(one, 'floor') !== undefined
  );
}
