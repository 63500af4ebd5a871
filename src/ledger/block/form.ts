/** form: what a block holds before it is compressed. A row has an id, perhaps a swarm, and a few numbers.
 *
 *      format · how many rows · the largest number of each column of numbers · the length in bytes of each column
 *      the columns of names, then those of numbers, one after the other
 *
 * Rows stand in the order of their ids. Ids, and swarms where one comes first, are written against the one before; numbers
 * as what they lack to the largest: beats are mostly late ones, so most are small.
 */

/** What tells one kind of block from another. */
export interface Shape {
  /** Says in a block which kind it is. Another meaning of its numbers is another format. */
  readonly format: number;
  /** How many columns of numbers there are. */
  readonly numbers: number;
  /** The most rows, below 2^15 + 1. */
  readonly mostRows: number;
  /** Room for their names, and so the longest name. */
  readonly mostBytes: number;
}

/** The columns of names, in order. */
export const COLUMNS = [
  'idLonger',
  'idSame',
  'idRest',
  'swarm',
  'swarmLonger',
  'swarmSame',
  'swarmRest',
  'prefix',
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
