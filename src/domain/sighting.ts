/** sighting: that somebody was seen to beat, and when last; what lapsed coordinators live from (P11). */

/** One of them; its bytes hold until the next one is read. */
export interface Sighting {
  readonly coordinator: Uint8Array;
  /** `null` where heartbeats name no swarm. */
  readonly swarm: Uint8Array | null;
  /** When it last beat, in whole seconds since the epoch, rounded up. */
  readonly beatAtSeconds: number;
  /** Whether what it left was given back from the trash since: then it lives until it beats anew, and is not counted. @default false */
  readonly isGivenBack?: boolean;
  /** Whether runs of a target of another name saw it, who may have ended long ago: then its silence begins now. @default false */
  readonly isByOthers?: boolean;
}

/** Since when somebody counts as silent who was seen so, and has no heartbeat now. */
export function silentSince({ beatAtSeconds, isByOthers }: Sighting, nowSeconds: number): number {
  return isByOthers ? nowSeconds : beatAtSeconds;
}

interface Bytes {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** What earlier runs of a target saw, and what this one sees. Wherever it is kept, a run goes on without it. */
export interface Sightings {
  /** Everybody whom earlier runs saw, once, piece by piece. May be asked for again. */
  earlier(): AsyncIterable<Iterable<Sighting>>;
  /** Notes that somebody was seen. */
  see(coordinator: Bytes, swarm: Bytes | null, beatAtSeconds: number): void;
  /**
   * Puts all that was noted in place of what was there.
   * @param beside together with what was there, of each the later beat: for who did not get to know who is left
   */
  keep(beside?: boolean): Promise<void>;
}
