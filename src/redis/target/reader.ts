/** reader: as much of a target as whoever reads heartbeats needs of it. */
import type { Calls } from '../call/calls.ts';
import type { Kind, Sizes } from '../pace/paces.ts';

export interface Reader {
  readonly calls: Calls;
  readonly paces: Sizes;
  /** Calls `attempt` until it succeeds, through refusals that pass and connections that are cut. */
  steadily<T>(kind: Kind, attempt: () => Promise<T>): Promise<T>;
}
