/** spellers: a schema's templates, ready to put key names together. */
import { Speller } from '../../redis/call/speller.ts';
import { OWN_PREFIXES } from '../../domain/ownKeys.ts';
import type { KeySchema } from '../../schema/keySchema.ts';
import type { Slice } from '../../store/arena.ts';

export interface Spellers {
  readonly heartbeat: Speller;
  /** Those of keys that need no scan, each with its family. */
  readonly derived: readonly Derived[];
}

export interface Derived {
  readonly family: number;
  readonly speller: Speller;
  /** Whether some id would make a name of stalesweep's own of it: then each has to be looked at (P8). */
  readonly mayBeOwn: boolean;
}

export function spellersOf(schema: KeySchema): Spellers {
  const own = [...OWN_PREFIXES, ...schema.ownPrefixes];
  const mayBeOwn = (prefix: string) => own.some((ours) => ours.startsWith(prefix) || prefix.startsWith(ours));
  return {
    heartbeat: new Speller(schema.heartbeat),
    derived: schema.derived.map(({ family, template }) => ({
      family,
      speller: new Speller(template),
      mayBeOwn: mayBeOwn(template.prefix),
    })),
  };
}

/** Stands where a name holds no swarm. */
export const NO_SWARM: Slice = { bytes: new Uint8Array(0), from: 0, to: 0 };
