/** heartbeat: what a heartbeat's value says about its coordinator. The only place that knows what "stale" means.
 *
 *      value ──readBeat──▶ beat ──silentSeconds──▶ silence ──judge──▶ state
 */
import type { Reading } from './reading.ts';
import { type Outage, outageMs } from './outages.ts';

/** The target's clock, read once a run; the run judges by it and by no other. */
export interface Clock {
  /** Redis' TIME, in whole seconds since the epoch. */
  readonly nowSeconds: number;
  /**
   * For how long coordinators have been able to beat, in seconds; `null` where silence counts without limit.
   * Set after a restart with old data: an outage is not a death (P10).
   */
  readonly upSeconds: number | null;
  /** The spans in which nobody could beat, as `merged` gives them (P10). */
  readonly outages: readonly Outage[];
  /** Whether the server drops keys for want of memory: then a heartbeat that is gone is no silence. @default false */
  readonly evicts?: boolean;
}

/** Why a heartbeat can't be judged (P4). */
export type Why =
  /** Its id has more segments than the schema says, or an empty one, so nobody knows whose it is; or its swarm has none, or several. */
  | 'id-shape'
  /** Its value is no JSON object. */
  | 'not-json'
  /** The time is missing, or is none: no finite number, no date that exists. */
  | 'no-time'
  /** The number, or that of which a date was made, can't be in the declared unit: read so, it lies before this kind of system was built. */
  | 'wrong-unit'
  /** The time lies after the target's clock, also when that is read again: a clock that is wrong, or another unit. */
  | 'future'
  /** The key is of another type than the schema says. */
  | 'wrong-type'
  /** A date and time without a zone: the instant would depend on who reads it. */
  | 'no-zone'
  /** Something besides the time is missing that the schema needs to judge it. */
  | 'incomplete';

/** Every reason, in the order in which reports list them. */
export const WHYS: readonly Why[] = [
  'id-shape',
  'not-json',
  'no-time',
  'wrong-unit',
  'future',
  'wrong-type',
  'no-zone',
  'incomplete',
];

/** Each reason in a few words, that complete "a heartbeat that …". */
export const WHY_SAYS: Readonly<Record<Why, string>> = {
  'id-shape': 'has an id or a swarm of other segments than the schema says',
  'not-json': 'is no JSON object',
  'no-time': 'holds no usable time',
  'wrong-unit': 'holds a time too early for milliseconds',
  future: 'lies in the future',
  'wrong-type': 'is of another type than the schema says',
  'no-zone': 'holds a time without a zone',
  incomplete: 'lacks what the schema needs besides the time',
};

/** When a coordinator last beat, in ms since the epoch, or why its heartbeat's value can't tell. */
export type Beat = { readonly beatAt: number } | { readonly why: Why };

/**
 * - `active`: it beat within the threshold.
 * - `stale`: it has been silent for longer.
 * - `ahead`: its beat lies after the clock that was read. Either it beat since then, or its clock is wrong: read the
 *   target's clock again to tell. Then it is active, or unreadable because of `future`.
 * - `unreadable`: it can't be judged, so it is kept (P4).
 */
export type Judgement =
  | { readonly state: 'active' | 'stale' | 'ahead'; readonly beatAt: number }
  | { readonly state: 'unreadable'; readonly why: Why };

/** Milliseconds were fewer before 2001-09-09T01:46:40Z; seconds will be fewer until the year 33658. */
const LEAST_MS = 1_000_000_000_000;

const NUMERIC = /^-?\d+(?:\.\d+)?$/;
const ISO_8601 = /^(\d{4}-\d{2}-)(\d{2})[Tt](\d{2}:\d{2})(:\d{2}(?:[.,]\d+)?)?(?:([Zz])|([+-]\d{2}):?(\d{2})?)?$/;

const NOT_JSON: Beat = { why: 'not-json' };
const NO_TIME: Beat = { why: 'no-time' };
const WRONG_UNIT: Beat = { why: 'wrong-unit' };
const NO_ZONE: Beat = { why: 'no-zone' };

function readNumber(number: number): Beat {
  if (!Number.isFinite(number)) return NO_TIME;
  return number < LEAST_MS ? WRONG_UNIT : { beatAt: number };
}

function readText(text: string): Beat {
  if (NUMERIC.test(text)) return readNumber(Number(text));
  const iso = ISO_8601.exec(text);
  if (iso === null) return NO_TIME;
  const [, yearMonth = '', day = '', time, seconds = ':00', utc, hours, minutes = '00'] = iso;
  if (utc === undefined && hours === undefined) return NO_ZONE;
  // Date.parse takes 30 February for the first of March.
  if (day > '28' && new Date(Date.parse(`${yearMonth}${day}T00:00:00Z`)).getUTCDate() !== Number(day)) return NO_TIME;
  const zone = hours === undefined ? 'Z' : `${hours}:${minutes}`;
  const beatAt = Date.parse(`${yearMonth}${day}T${time}${seconds.replace(',', '.')}${zone}`);
  // Nobody beat before the epoch; and a date may be made of seconds that were taken for milliseconds: of January 1970, then.
  return beatAt < 0 ? NO_TIME : readNumber(beatAt);
}

/**
 * Reads a heartbeat's value: a JSON object with the last beat in its own top-level member `timestamp`, or, where there is
 * none, `lastHeartbeat`; a member that is there but unusable is not skipped. The beat is a number or numeric string in ms
 * since the epoch, or ISO 8601 with a zone. No unit is ever guessed: what lies before 1,000,000,000,000 is `wrong-unit`, however it
 * is written.
 */
export function readBeat(value: string): Beat {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return NOT_JSON;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return NOT_JSON;
  // What JSON.parse makes has no members but its own: `__proto__` is one of them, and inherits to nobody.
  const { timestamp, lastHeartbeat } = parsed as { timestamp?: unknown; lastHeartbeat?: unknown };
  const time = timestamp === undefined ? lastHeartbeat : timestamp;
  if (typeof time === 'number') return readNumber(time);
  return typeof time === 'string' ? readText(time) : NO_TIME;
}

/**
 * For how long a coordinator that last beat at this instant has been silent, in whole seconds, rounded down; 0 when the
 * beat lies after the clock. Time in which nobody could beat does not count (P10).
 * @param beatAt in ms since the epoch
 */
export function silentSeconds(beatAt: number, { nowSeconds, upSeconds, outages }: Clock): number {
  const nowAt = nowSeconds * 1000;
  const ms = nowAt - beatAt - (outages.length === 0 ? 0 : outageMs(outages, beatAt, nowAt));
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return upSeconds === null ? seconds : Math.min(seconds, upSeconds);
}

/**
 * Judges one heartbeat (P4, P5, P10): at the threshold a coordinator is active, one second later it is stale.
 * @param reading what was read of it; nobody can judge one that is absent
 */
export function judge(reading: Reading, clock: Clock, staleAfterSeconds: number): Judgement {
  if (typeof reading === 'symbol') return { state: 'unreadable', why: 'wrong-type' };
  const beat = readBeat(reading.toString('latin1'));
  if ('why' in beat) return { state: 'unreadable', why: beat.why };
  const { beatAt } = beat;
  if (Math.floor(beatAt / 1000) > clock.nowSeconds) return { state: 'ahead', beatAt };
  return { state: silentSeconds(beatAt, clock) > staleAfterSeconds ? 'stale' : 'active', beatAt };
}
