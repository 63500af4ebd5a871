/** words: how cases, contenders and figures are written, on the page and on a terminal. */
import type { Way } from '../cases.ts';
import { ACKS } from '../keys.ts';
import type { CaseResult } from '../results.ts';

const LABELS: Readonly<Record<string, string>> = {
  floor: 'the floor',
  'floor-warm': 'the floor, warm',
  'floor-by-slot': 'the floor, by slot',
  'scan-pass': 'one SCAN pass',
  stalesweep: 'stalesweep',
  'stalesweep-warm': 'stalesweep, warm',
  'stalesweep-nice-1': 'stalesweep, nice 1',
  'stalesweep-64MB': 'stalesweep, 64 MB',
  'stalesweep-replica': 'stalesweep, by replica',
  command: 'stalesweep run',
  'by-hand': 'redis-cli | xargs',
  loop: 'scan, GET, DEL',
  'one-script': 'one Lua call',
  idle: 'nobody (idle)',
};

/** How a contender is called. */
export function labelOf(id: string): string {
  return LABELS[id] ?? id;
}

export const NOTHING = '–';

export function or(value: number | null, show: (value: number) => string): string {
  return value === null ? NOTHING : show(value);
}

export function countText(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `100k`, `2M`. */
function shortly(value: number): string {
  return value >= 1e6 ? `${value / 1e6}M` : value >= 1e3 ? `${value / 1e3}k` : `${value}`;
}

/** Three digits and a unit: `1.44 s`, `0.18 ms`. */
export function span(ms: number): string {
  if (ms >= 1000) return ms >= 100_000 ? `${Math.round(ms / 1000)} s` : `${(ms / 1000).toPrecision(3)} s`;
  return `${ms >= 100 ? Math.round(ms) : ms.toPrecision(ms < 0.1 ? 1 : ms < 1 ? 2 : 3)} ms`;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0)}×`;
}
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** `10 ms ±` as people write it: `10–15 ms`. */
export function wayText({ roundTripMs, jitter }: Way): string {
  return `${roundTripMs}–${Number((roundTripMs * (1 + jitter)).toFixed(2))} ms`;
}

/** In a few words: `flat 100k, everyday, 10–15 ms`. */
export function titleOf(one: CaseResult): string {
  const { data, schema, coordinators, stale, foreign, acks, padding, ttlMs, way, primaries } = one;
  const unlike = [
    ...(data === 'easy' && padding === 0 ? ['easy'] : []),
    ...(padding > 0 ? [`${padding / 1024} KiB heartbeats`] : []),
    ...(acks === ACKS ? [] : [`${shortly(acks)} acks`]),
    ...(ttlMs === null ? [] : ['TTL']),
    ...(foreign === 0 ? [] : [stale === 0 ? 'nothing stale' : 'everyday']),
    ...(way === null ? [] : [wayText(way)]),
    ...(one.id.startsWith('replica-') ? ['replica'] : []),
    ...(primaries === undefined ? [] : [`${primaries} primaries`]),
  ];
  return [`${schema === 'claude-flow-novice' ? 'novice' : schema} ${shortly(coordinators)}`, ...unlike].join(', ');
}

/** In a sentence, with where its figures come from. */
export function sentenceOf(one: CaseResult): string {
  const { coordinators, stale, foreign, keys, way, measuredAt, commit, cpu, load } = one;
  const of = `${countText(coordinators)} coordinators, ${stale === 0 ? 'none' : countText(stale)} of them stale`;
  const among = foreign === 0 ? '' : `, among ${countText(foreign)} foreign keys`;
  const far = way === null ? '' : `, a way of ${wayText(way)}`;
  const code = commit === null ? '' : `, commit ${commit}`;
  return `${of}${among}; ${countText(keys)} keys in all${far}. Measured ${measuredAt.slice(0, 10)}${code}, on ${cpu}; the machine's load before: ${load}.`;
}
