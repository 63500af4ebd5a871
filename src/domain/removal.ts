/** removal: what one call removed of one coordinator, as it is told to whoever keeps a record. */

/** A coordinator that is about to be swept. */
export interface Condemned {
  /** Its id, byte by byte. */
  readonly coordinator: Uint8Array;
  /** Its swarm; `null` where heartbeats name none. */
  readonly swarm: Uint8Array | null;
  /** When it last beat, in whole seconds since the epoch, rounded up. */
  readonly beatAtSeconds: number;
  /** How long it had been silent when the run began, in whole seconds. */
  readonly silentSeconds: number;
  /** Whether it had no heartbeat any more (P11). */
  readonly lapsed: boolean;
}

export interface Removal extends Condemned {
  /** Whether this was the last of it, so that it is swept; before that, as many calls as it takes remove parts of it. */
  readonly swept: boolean;
  /** How many keys of each family went, its heartbeat included; `null` where some went and Redis does not tell how many of whose. */
  readonly keys: readonly (number | null)[];
}

/** What one call removed. */
export interface Removed {
  readonly removals: readonly Removal[];
  /**
   * The names of what went, by family, those of orphans too; of a family whose count is `null` above, also names that were not
   * there. Only to be asked before whoever is told returns: after that they are let go.
   */
  readonly names: () => readonly (readonly Uint8Array[])[];
}
