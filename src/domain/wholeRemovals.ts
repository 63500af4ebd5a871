/** whole removals: what went of each coordinator in all, put together from the parts that single calls removed. */
import { namesWithin } from './names.ts';
import type { Removal } from './removal.ts';

/** All that went of one. */
export interface WholeRemoval extends Omit<Removal, 'swept' | 'names'> {
  /** The names of what went, as far as they are kept; the first ones. */
  readonly names: readonly Uint8Array[];
}

function keyOf({ coordinator, swarm }: Removal): string {
  const id = Buffer.from(coordinator).toString('latin1');
  return JSON.stringify([id, swarm === null ? null : Buffer.from(swarm).toString('latin1')]);
}

/** What is not told in one of them is not known of both. */
function sumOf(a: readonly (number | null)[], b: readonly (number | null)[]): readonly (number | null)[] {
  return b.map((count, i) => {
    const other = a[i] ?? null;
    return count === null || other === null ? null : count + other;
  });
}

/**
 * Keeps the parts of those of whom not all went yet: with more things than one call takes, or whose things are found in several
 * passes. These are as many as are stale in a partition at most, which the memory budget bounds.
 */
export class WholeRemovals {
  readonly #parts = new Map<string, WholeRemoval>();

  /** @param mostNameBytes what the names of one may take; 0: they are not kept */
  constructor(private readonly mostNameBytes = 0) {}

  /** Everything that went of one, once the last of it did; until then `null`. */
  take(removal: Removal): WholeRemoval | null {
    const { swept, names, ...rest } = removal;
    const isWhole = swept && this.#parts.size === 0;
    const key = isWhole ? '' : keyOf(removal);
    const before = isWhole ? undefined : this.#parts.get(key);
    const whole = {
      ...rest,
      keys: before === undefined ? removal.keys : sumOf(before.keys, removal.keys),
      names: this.mostNameBytes === 0 ? [] : namesWithin([...(before?.names ?? []), ...names()], this.mostNameBytes),
    };
    if (swept) {
      this.#parts.delete(key);
      return whole;
    }
    this.#parts.set(key, whole);
    return null;
  }

  /** Those of whom only parts went; they are forgotten. */
  takeRest(): readonly WholeRemoval[] {
    const rest = [...this.#parts.values()];
    this.#parts.clear();
    return rest;
  }
}
