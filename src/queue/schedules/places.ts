/** places: where in an interval that they share targets have their runs, so that no two begin at the same moment.
 *
 *  A place is kept as long as its schedule is: whoever comes or goes moves nobody else. A newcomer takes the one that its name and
 *  address draw, or, where that is too near to another's, the next one after it that is not.
 */

/** A target with this interval. */
export interface Resident {
  readonly name: string;
  /** The place it draws, in ms from the interval's start: from 1 to the last but one. */
  readonly drawn: number;
  /** The place its schedule has, in ms from the interval's start; `null`: none yet. */
  readonly stands: number | null;
}

/** Runs whose ticks are so far apart begin one after the other, whatever else a worker does just then. */
const APART_MS = 200;

/**
 * The place of each, by name, in whole ms from the interval's start, and never 0, which the queue takes for none. Newcomers keep
 * away from all others by half of an equal share of the interval, as far as whole ms allow; the same ones come to the same places,
 * whoever asks and in whichever order they are given.
 * @param taken places that others have, who are not moved
 */
export function placesOf(
  everyMs: number,
  residents: readonly Resident[],
  taken: readonly number[],
): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  // Half a share around each of the others leaves room for one more.
  const share = Math.floor(everyMs / (2 * (residents.length + taken.length)));
  const inOrder = residents.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const isPlace = (at: number): boolean => at >= 1 && at < everyMs;
  const isFree = (at: number, others: readonly number[], apart: number): boolean =>
    others.every((other) => distance(at, other, everyMs) >= apart);
  for (const { name, stands } of inOrder) {
    if (stands === null || !isPlace(stands)) continue;
    if (isFree(stands, [...places.values()], Math.min(APART_MS, share))) places.set(name, stands);
  }
  for (const { name, drawn } of inOrder) {
    if (places.has(name)) continue;
    const others = [...taken, ...places.values()];
    const free = [drawn, ...others.map((other) => (other + share) % everyMs)]
      .filter((at) => isPlace(at) && isFree(at, others, share))
      .map((at) => (at - drawn + everyMs) % everyMs);
    places.set(name, (drawn + (free.length === 0 ? 0 : Math.min(...free))) % everyMs);
  }
  return places;
}

/** Between two places, round the interval's end if that is shorter. */
function distance(a: number, b: number, everyMs: number): number {
  const apart = Math.abs(a - b) % everyMs;
  return Math.min(apart, everyMs - apart);
}
