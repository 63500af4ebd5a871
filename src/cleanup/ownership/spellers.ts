/** spellers: a schema's templates, ready to put key names together. */
import { Speller } from '../../redis/call/speller.ts';
import type { KeySchema } from '../../schema/keySchema.ts';
import type { Slice } from '../../store/arena.ts';

export interface Spellers {
  readonly heartbeat: Speller;
  /** Those of keys that need no scan, each with its family. */
  readonly derived: readonly { readonly family: number; readonly speller: Speller }[];
}

export function spellersOf(schema: KeySchema): Spellers {
  return {
    heartbeat: new Speller(schema.heartbeat),
    derived: schema.derived.map(({ family, template }) => ({ family, speller: new Speller(template) })),
  };
}

/** Stands where a name holds no swarm. */
export const NO_SWARM: Slice = { bytes: new Uint8Array(0), from: 0, to: 0 };
