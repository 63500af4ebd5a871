/** run id: what a run outside the queue is called. A UUID that begins with when it was given out, so that the run is found by its id
 *  alone (version 7, RFC 9562, 5.7). Runs of the queue are called as their jobs are.
 */
import { randomUUID } from 'node:crypto';

/** 48 bits. */
const INSTANT_DIGITS = 12;
const VERSION_7 = /^([\da-f]{8})-([\da-f]{4})-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i;

/** A new one, of this instant in ms. */
export function newRunId(nowMs: number): string {
  const instant = Math.floor(nowMs).toString(16).padStart(INSTANT_DIGITS, '0');
  return `${instant.slice(0, 8)}-${instant.slice(8)}-7${randomUUID().slice(15)}`;
}

/** When an id was given out, in ms, by whoever did; `null` where it does not say. */
export function instantOfRunId(run: string): number | null {
  const [, high, low] = VERSION_7.exec(run) ?? [];
  return high === undefined ? null : Number.parseInt(`${high}${low}`, 16);
}

/** Longer ones are shown by their end. */
const MOST_SHOWN = 12;
const SHOWN = 8;

/** What tells a run apart from others in a table: all of a short id, of a long one its end, since many begin with about the same time. */
export function shortRunId(run: string): string {
  return run.length > MOST_SHOWN ? run.slice(-SHOWN) : run;
}

/** Whether what somebody wrote may be the end by which a long id is shown. */
export function mayBeShort(written: string): boolean {
  return written.length === SHOWN;
}
