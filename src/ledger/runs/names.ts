/** names: how the blocks of the ledger are called, so that what is asked for together stands together. Several deployments may call
 *  different targets alike: what is true of one Redis alone carries its place, and what its schema matters to the fingerprint.
 *
 *      open/<target>/<run>                              a run under way
 *      alive/<target>/<run>                             is there while its process lives (no block: it expires)
 *      runs/<target>/<outcome, + if it removed>/<first>  runs that ended alike, from that instant on
 *      swept/<target>/<start>.<run>/<batch>             coordinators that a run swept
 *      outages/<target>/<place>                         when it did not answer
 *      promotions/<target>/<place>                      who took over from whom, and since when that is known
 *      watched/<target>/<place>                         when somebody last saw it serve (no block: it expires)
 *      looks/<target>/<fingerprint>                     what stands there, by family
 *      horizon/<target>/<fingerprint>                   until when nobody of it can be stale
 *      restored/<target>/<place>                        what was given back
 */
import { type Fingerprinted, fingerprintOf, type Placed, placeDigestOf } from '../../config/fingerprint.ts';

/** Which Redis a deployment means by a target's name. */
export interface NamedPlace extends Placed {
  readonly name: string;
}

/** Which Redis, and which of its keys, a deployment means by a target's name. */
export interface NamedTarget extends Fingerprinted {
  readonly name: string;
}

/** The same as runs and batches have it: by the first half of a fingerprint. */
export interface TargetAt {
  readonly target: string;
  readonly place: string;
}

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

export const SWEPT = 'swept/';

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

/** Where older versions kept one for all that deployments mean by a target's name. */
export function sharedName(
  kind: 'outages' | 'looks' | 'horizon' | 'restored',
  { name }: Pick<NamedPlace, 'name'>,
): string {
  return `${kind}/${name}`;
}

export function outagesName(target: NamedPlace): string {
  return `outages/${target.name}/${placeDigestOf(target)}`;
}

export function promotionsName(target: NamedPlace): string {
  return `promotions/${target.name}/${placeDigestOf(target)}`;
}

export function watchedName(target: NamedPlace): string {
  return `watched/${target.name}/${placeDigestOf(target)}`;
}

export function restoredName({ target, place }: TargetAt): string {
  return `restored/${target}/${place}`;
}

export function looksName(target: NamedTarget): string {
  return `looks/${target.name}/${fingerprintOf(target)}`;
}

export function horizonName(target: NamedTarget): string {
  return `horizon/${target.name}/${fingerprintOf(target)}`;
}
