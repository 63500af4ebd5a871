/** names: how the blocks of the ledger are called, so that what is asked for together stands together.
 *
 *      open/<target>/<run>                              a run under way
 *      alive/<target>/<run>                             is there while its process lives (no block: it expires)
 *      runs/<target>/<outcome, + if it removed>/<first>  runs that ended alike, from that instant on
 *      swept/<target>/<start>.<run>/<batch>             coordinators that a run swept
 *      outages/<target>                                 when it did not answer
 *      watched/<target>/<place>                         when somebody last saw it serve (no block: it expires)
 *      looks/<target>                                   what stands there, by family
 *      horizon/<target>                                 until when nobody of it can be stale
 *      restored/<target>                                what was given back
 */

const RADIX = 36;
/** Instants up to the year 5188. */
const INSTANT_DIGITS = 9;
const BATCH_DIGITS = 6;

/** Sorts as the numbers do. */
function sortable(number: number, digits: number): string {
  return Math.max(0, Math.floor(number)).toString(RADIX).padStart(digits, '0');
}

export function instantOf(ms: number): string {
  return sortable(ms, INSTANT_DIGITS);
}

/** The instant that a page's name ends with, in ms. */
export function firstOf(pageName: string): number {
  return Number.parseInt(pageName.slice(-INSTANT_DIGITS), RADIX);
}

export function openName(target: string, run: string): string {
  return `open/${target}/${encodeURIComponent(run)}`;
}

export const OPEN = 'open/';

export function aliveName(target: string, run: string): string {
  return `alive/${target}/${encodeURIComponent(run)}`;
}

export function chainName(target: string, chain: string): string {
  return `runs/${target}/${chain}/`;
}

/** What the names of all batches of a target begin with, or of one run of it. */
export function sweptName(target: string, run?: { readonly run: string; readonly startedAtMs: number }): string {
  return run === undefined
    ? `swept/${target}/`
    : `swept/${target}/${instantOf(run.startedAtMs)}.${encodeURIComponent(run.run)}/`;
}

/** The instant of the attempt keeps what a killed one had written from being written over. */
export function batchName(sweptOfRun: string, attemptAtMs: number, batch: number): string {
  return `${sweptOfRun}${instantOf(attemptAtMs)}${sortable(batch, BATCH_DIGITS)}`;
}

export function outagesName(target: string): string {
  return `outages/${target}`;
}

export function watchedName(target: string, place: string): string {
  return `watched/${target}/${place}`;
}

export function restoredName(target: string): string {
  return `restored/${target}`;
}

export function looksName(target: string): string {
  return `looks/${target}`;
}

export function horizonName(target: string): string {
  return `horizon/${target}`;
}
