/** heartbeat: what a heartbeat's value says about its coordinator. The only place that knows what "stale" means. */

/** The target's clock, read once a run; the run judges by it and by no other. */
export interface Clock {
  /** Redis' TIME, in whole seconds since the epoch. */
  readonly nowSeconds: number;
  /**
   * For how long coordinators have been able to beat, in seconds; `null` where silence counts without limit.
   * Set after a restart with old data: an outage is not a death (P10).
   */
  readonly upSeconds: number | null;
}

/**
 * - `active`: it beat within the threshold.
 * - `stale`: it has been silent for longer.
 * - `unreadable`: it can't be judged, so it is kept (P4).
 * - `ahead`: its beat lies after the clock that was read. Either it beat since then, or its clock is wrong: read the
 *   target's clock again to tell.
 */
export type Judgement = 'active' | 'stale' | 'unreadable' | 'ahead';

const NUMERIC = /^\d+(?:\.\d+)?$/;
/** Date and time with a zone. Without a zone the instant depends on who reads it, so it can't be judged. */
const ISO_8601 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2})(:\d{2}(?:[.,]\d+)?)?(?:([Zz])|([+-]\d{2}):?(\d{2})?)$/;

const instantOf = (timestamp: unknown): number => {
  if (typeof timestamp === 'number') return timestamp;
  if (typeof timestamp !== 'string') return Number.NaN;
  if (NUMERIC.test(timestamp)) return Number(timestamp);
  const iso = ISO_8601.exec(timestamp);
  if (!iso) return Number.NaN;
  const [, date = '', time, seconds = ':00', utc, hours, minutes = '00'] = iso;
  // Date.parse takes 30 February for the first of March.
  if (new Date(Date.parse(`${date}T00:00:00Z`)).getUTCDate() !== Number(date.slice(-2))) return Number.NaN;
  return Date.parse(`${date}T${time}${seconds.replace(',', '.')}${utc ? 'Z' : `${hours}:${minutes}`}`);
};

/**
 * When the coordinator last beat, in ms since the epoch; `null` when the value can't tell: no JSON object, no own
 * `timestamp` at its top level, or one that is neither a number, a numeric string, nor ISO 8601 with a zone.
 */
export const beatAtOf = (value: string): number | null => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  if (!Object.hasOwn(parsed, 'timestamp')) return null;
  const instant = instantOf((parsed as { timestamp: unknown }).timestamp);
  return Number.isFinite(instant) && instant >= 0 ? instant : null;
};

/**
 * Judges one heartbeat (P4, P5, P10). Age is counted in whole seconds, rounded down: at the threshold a coordinator
 * is active, one second later it is stale.
 * @param value the heartbeat's value; `null` for a key that is not a string
 */
export const judge = (value: string | null, clock: Clock, staleAfterSeconds: number): Judgement => {
  const beatAt = value === null ? null : beatAtOf(value);
  if (beatAt === null) return 'unreadable';
  if (Math.floor(beatAt / 1000) > clock.nowSeconds) return 'ahead';
  const silentSeconds = Math.floor((clock.nowSeconds * 1000 - beatAt) / 1000);
  const countedSeconds = Math.min(silentSeconds, clock.upSeconds ?? Number.POSITIVE_INFINITY);
  return countedSeconds > staleAfterSeconds ? 'stale' : 'active';
};
