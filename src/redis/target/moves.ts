/** moves: how a run finds whom its walk may have missed, where keys go from node to node meanwhile. */

export interface Moves {
  /** A walk begins. */
  begin(): Promise<void>;
  /** While it is under way, as often as that suits: looks whether something moves. */
  look(): void;
  /** After it: every key that stands where something moved, at least once; nothing where nothing did. Throws where that can't be told. */
  missed(): AsyncGenerator<readonly Buffer[]>;
}
