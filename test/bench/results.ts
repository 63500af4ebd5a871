/** results: what was measured, as it is kept; and the figures made of it. */
import type { Way } from './cases.ts';
import type { DayResult } from './day.ts';
import type { HistoryResult } from './history.ts';
import type { Sample } from './sample.ts';

/** What one trial took. */
export interface Cost {
  readonly wallMs: number;
  /** CPU time of Redis' main thread. */
  readonly cpuMs: number;
  /** Requests sent to Redis. */
  readonly calls: number;
  /** As Redis' slow log has it; 0 when no call took 0.1 ms. */
  readonly slowestCallMs: number;
  /** Calls that took longer than twice the call budget. */
  readonly overBudget: number;
  /** The worker's peak; `null` where there is no one worker. */
  readonly rssBytes: number | null;
  /** The longest time in which the worker read no reply, whatever had come; `null` where there is no one worker. */
  readonly awayMs: number | null;
}

/** What a second client felt in one trial. */
export interface Felt {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly pings: number;
  /** Answered with BUSY. */
  readonly refused: number;
  /** Time since the start and latency, both in ms. Kept of the last trial only. */
  readonly series: readonly (readonly [number, number])[];
}

export interface ContenderResult {
  readonly id: string;
  /** One per repetition, in order: the nth trials of all contenders ran one after the other. */
  readonly costs: readonly Cost[];
  readonly felt: readonly Felt[];
  /** Why it has no further trials. */
  readonly failed: string | null;
}

export interface CaseResult extends Sample {
  readonly id: string;
  readonly way: Way | null;
  /** Left out of one server. */
  readonly primaries?: number;
  readonly measuredAt: string;
  /** Of the code; `null` where there is no repository. */
  readonly commit: string | null;
  /** The processor on which all its contenders ran. */
  readonly cpu: string;
  /** What else the machine had to do when it began: its load of the minute before. */
  readonly load: number;
  readonly keys: number;
  readonly contenders: readonly ContenderResult[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly redis: string;
}

/** Of the results' form, and of the data they are about: those of the first were easy ones. */
export const VERSION = 3;

export interface Results {
  readonly version: typeof VERSION;
  readonly machine: Machine;
  readonly cases: readonly CaseResult[];
  readonly history: HistoryResult | null;
  /** Left out where it was not measured. */
  readonly day?: DayResult | null;
}

/** The middle value; `null` of nothing. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}

/** The median of the ratios of trials that ran side by side, which a machine that gets slower meanwhile does not distort. */
export function medianRatio(over: readonly number[], under: readonly number[]): number | null {
  return median(over.slice(0, under.length).map((value, i) => value / (under[i] ?? Number.NaN)));
}

/** What was measured before, with what has been measured anew in its place. */
export function merge(earlier: readonly CaseResult[], later: readonly CaseResult[]): CaseResult[] {
  const anew = new Map(later.map((one) => [one.id, one]));
  const kept = earlier.map((one) => anew.get(one.id) ?? one);
  return [...kept, ...later.filter(({ id }) => !earlier.some((one) => one.id === id))];
}
