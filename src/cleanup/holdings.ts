/** holdings: keys that a scan found, kept by owner until it is known who is stale. */
import type { KeySchema } from '../domain/keySchema.ts';
import type { Owner } from '../domain/template.ts';

/** A key that several coordinators could own, or that names a swarm. */
export interface SharedKey {
  readonly family: number;
  readonly key: string;
  readonly owners: readonly Owner[];
  /** Its name follows from its only owner: with that one stale, it goes in the same step (P3), gathered or not. */
  readonly derivable: boolean;
}

/** What a key name costs in memory beside its bytes: string header, slot, and its share of the map (measured). */
const BYTES_BESIDE_NAME = 90;

type Names = string | string[];

export class Holdings {
  /** By family, then by the id of the only owner. */
  readonly owned: Map<string, Names>[];
  /** The same for keys whose names follow from their owner: needed only to tell whether anybody owns them. */
  readonly derivable: Map<string, Names>[];
  shared: SharedKey[] = [];
  /** Keys of several owners of whom only one id is stale: they go in the same call as its heartbeat (P3). */
  readonly joint = new Map<string, SharedKey[]>();
  /** An estimate of the memory held. */
  bytes = 0;

  constructor(schema: KeySchema) {
    this.owned = schema.families.map(() => new Map());
    this.derivable = schema.families.map(() => new Map());
  }

  hold(family: number, key: string, owners: readonly Owner[], derivable: boolean): void {
    const [owner] = owners;
    if (owner !== undefined && owners.length === 1 && owner.swarm === null) {
      const byOwner = (derivable ? this.derivable : this.owned)[family] as Map<string, Names>;
      const known = byOwner.get(owner.coordinator);
      if (known === undefined) byOwner.set(owner.coordinator, key);
      else if (typeof known === 'string') byOwner.set(owner.coordinator, [known, key]);
      else known.push(key);
      this.bytes += key.length + BYTES_BESIDE_NAME;
    } else {
      this.shared.push({ family, key, owners, derivable });
      this.bytes += (key.length + BYTES_BESIDE_NAME) * (1 + owners.length);
    }
  }

  clear(): void {
    for (const byOwner of [...this.owned, ...this.derivable]) byOwner.clear();
    this.shared = [];
    this.joint.clear();
    this.bytes = 0;
  }
}

export const namesIn = (names: Names | undefined): readonly string[] =>
  names === undefined ? [] : typeof names === 'string' ? [names] : names;
