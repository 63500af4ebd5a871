/** whole removals: what went of each coordinator in all, put together from the parts that single calls removed. */
import { namesWithin } from './names.ts';
import type { NamedRemoval, Removal } from './removal.ts';

/** All that went of one. */
export interface WholeRemoval extends Omit<Removal, 'swept'> {
  /** The names of what went, as far as they are kept; the first ones. */
  readonly names: readonly Uint8Array[];
}

/** What one call removed of one; names where they are kept. */
type Part = Removal & Partial<Pick<NamedRemoval, 'names'>>;

function keyOf({ coordinator, swarm }: Part): string {
  const id = Buffer.from(coordinator).toString('latin1');
  return JSON.stringify([id, swarm === null ? null : Buffer.from(swarm).toString('latin1')]);
}

const NO_NAMES: readonly Uint8Array[] = [];

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

  /**
   * Everything that went of one, once the last of it did; until then `null`. What is returned holds no longer than what it is given.
   */
  take(removal: Part): WholeRemoval | null {
    // Most go with one call: nothing is looked up for them.
    if (removal.swept && this.#parts.size === 0) return this.#add(removal, undefined);
    const key = keyOf(removal);
    const whole = this.#add(removal, this.#parts.get(key));
    if (removal.swept) {
      this.#parts.delete(key);
      return whole;
    }
    const { coordinator, swarm } = whole;
    const copies = { coordinator: new Uint8Array(coordinator), swarm: swarm === null ? null : new Uint8Array(swarm) };
    this.#parts.set(key, { ...whole, ...copies });
    return null;
  }

  #add(removal: Part, before: WholeRemoval | undefined): WholeRemoval {
    const { coordinator, swarm, beatAtSeconds, silentSeconds, lapsed } = removal;
    const keys = before === undefined ? removal.keys : sumOf(before.keys, removal.keys);
    return { coordinator, swarm, beatAtSeconds, silentSeconds, lapsed, keys, names: this.#namesOf(removal, before) };
  }

  #namesOf(removal: Part, before: WholeRemoval | undefined): readonly Uint8Array[] {
    if (this.mostNameBytes === 0) return NO_NAMES;
    return namesWithin([...(before?.names ?? []), ...(removal.names?.() ?? [])], this.mostNameBytes);
  }

  /** Those of whom only parts went; they are forgotten. */
  takeRest(): readonly WholeRemoval[] {
    const rest = [...this.#parts.values()];
    this.#parts.clear();
    return rest;
  }
}
