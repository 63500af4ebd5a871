/** removal: what one call removed of one coordinator, as it is told to whoever keeps a record, or lists who goes. */

/** A coordinator that is about to be swept. Where several are told of one after the other, all of it holds until the next one is asked for. */
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
  /**
   * The names of what is to go with it, as far as they are known by now; some may not be there. Each holds until the next one is
   * asked for, and none may be asked for once whoever is told has waited for anything.
   */
  names(): Iterable<Uint8Array>;
}

/** What went of one so far. */
export interface Removal extends Omit<Condemned, 'names'> {
  /** Whether the last of it went, so that it is swept; before that, as many calls as it takes remove parts of it. */
  readonly swept: boolean;
  /**
   * How many keys of each family went in all, its heartbeat included; `null` where some went and Redis does not tell how many of
   * whose. Holds for good.
   */
  readonly keys: readonly (number | null)[];
}

export interface NamedRemoval extends Removal {
  /**
   * The names of what went now; of a family whose count is `null`, also names that were not there. Only to be asked before whoever is
   * told returns: after that they are let go.
   */
  names(): readonly Uint8Array[];
}

/** What one call removed, and of whom. */
export interface Removed {
  /** Not to be asked for once whoever is told has returned, or waited for anything. */
  readonly removals: Iterable<NamedRemoval>;
  /** The names of what went, by family, those of orphans too; as those of a removal. */
  readonly names: () => readonly (readonly Uint8Array[])[];
}
