/** form: what a block holds before it is compressed.
 *
 *      format · how many sightings · the latest beat · the length in bytes of each column      numbers
 *      the columns, one after the other
 *
 * Sightings stand in the order of their ids. Ids, and swarms where one comes first, are written against the one before;
 * beats as seconds before the latest: who lives beat lately, so most are small.
 */

export const FORMAT = 1;

/** The columns, in order. */
export const COLUMNS = [
  'idLonger',
  'idSame',
  'idRest',
  'swarm',
  'swarmLonger',
  'swarmSame',
  'swarmRest',
  'prefix',
  'beat',
] as const;
export type Column = (typeof COLUMNS)[number];

/** What the column `swarm` says. */
export const SWARM = {
  none: 0,
  /** The id begins with it; its length stands in `prefix`. */
  ofId: 1,
  /** One that comes for the first time. */
  next: 2,
  /** This plus n: the one that came first n swarms ago; 0 is the last. */
  back: 3,
} as const;
