/** moves: how a run finds whom its walk may have missed, where keys go from node to node meanwhile. */
import type { UnownedKeys } from '../../domain/report.ts';
import type { Place } from './place.ts';

export interface Moves {
  /** A walk begins. */
  begin(): Promise<void>;
  /** While it is under way, as often as that suits: looks whether something moves. */
  look(): void;
  /** Told what a walk shows at one of the places that are walked. */
  shown(place: Place, keys: readonly Buffer[]): void;
  /** After all that moved was followed: what was shown by who no longer owns it. */
  unowned(): Promise<UnownedKeys>;
  /** After it: every key that stands where something moved, at least once; nothing where nothing did. Throws where that can't be told. */
  missed(): AsyncGenerator<readonly Buffer[]>;
}
