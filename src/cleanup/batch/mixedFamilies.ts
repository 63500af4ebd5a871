/** mixedFamilies: of which families Redis is to tell which keys were not there, for a record, or a list, of who lost what. */
import type { Bulk } from '../../redis/call/bulk.ts';

/** In a call of no more keys it makes no difference. */
const FEW_KEYS = 200;

/**
 * Redis tells how many keys of a family a call met, which says it all where that is all of them, or none. Asked for one by one
 * are those of families where the last call met only some: that takes half as long again.
 */
export class MixedFamilies {
  readonly #mixed: boolean[] = [];

  /**
   * @param recorded whether anybody keeps a record of who lost what
   * @param exact whether each count must be known, whatever that takes
   */
  constructor(
    readonly recorded: boolean,
    private readonly exact = false,
  ) {}

  /** For each family of a call, whether it is to tell which keys were not there. */
  toTell(families: readonly Bulk[]): readonly boolean[] {
    if (!this.recorded) return families.map(() => false);
    const few = families.reduce((sum, { count }) => sum + count, 0) <= FEW_KEYS;
    return families.map(({ count }, family) => count > 0 && (this.exact || few || (this.#mixed[family] ?? false)));
  }

  /** Learns from what a call met of each family. */
  learn(families: readonly Bulk[], met: readonly number[]): void {
    for (const [family, { count }] of families.entries()) {
      const some = met[family] ?? 0;
      if (count > 0) this.#mixed[family] = some > 0 && some < count;
    }
  }
}
