/** layout: a schema's templates as bytes, to put key names together where they travel, without strings. */
import type { KeySchema } from '../domain/keySchema.ts';
import type { Template } from '../domain/template.ts';
import type { Bulk } from '../redis/bulk.ts';
import type { Slice } from './arena.ts';

type Part = { readonly kind: 'literal'; readonly bytes: Uint8Array } | { readonly kind: 'coordinator' | 'swarm' };

/** More heads than this are not told apart: their keys are kept whole. */
const MOST_HEADS = 200;

const partsOf = ({ tokens, text }: Template): Part[] =>
  tokens.map((token) => {
    if (token.kind === 'star') throw new TypeError(`"${text}" can't be derived`);
    return token.kind === 'literal' ? { kind: token.kind, bytes: Buffer.from(token.text, 'latin1') } : token;
  });

/** A template without `*`, ready to spell its keys. */
export class Speller {
  readonly #parts: readonly Part[];

  constructor(template: Template) {
    this.#parts = partsOf(template);
  }

  /** Adds the key of this owner. */
  spell(into: Bulk, id: Slice, swarm: Slice): void {
    const idLength = id.to - id.from;
    const swarmLength = swarm.to - swarm.from;
    let length = 0;
    for (const part of this.#parts) {
      length += part.kind === 'literal' ? part.bytes.length : part.kind === 'swarm' ? swarmLength : idLength;
    }
    into.begin(length);
    for (const part of this.#parts) {
      if (part.kind === 'literal') into.put(part.bytes, 0, part.bytes.length);
      else if (part.kind === 'swarm') into.put(swarm.bytes, swarm.from, swarm.to);
      else into.put(id.bytes, id.from, id.to);
    }
    into.end();
  }
}

export class Layout {
  readonly heartbeat: Speller;
  /** In the order of the schema's derived templates. */
  readonly derived: readonly Speller[];
  /** What names begin with before the id: such a key is kept as its rest. */
  readonly heads: readonly Uint8Array[];

  constructor(schema: KeySchema) {
    this.heartbeat = new Speller(schema.heartbeat);
    this.derived = schema.derived.map(({ template }) => new Speller(template));
    const literals = schema.scanned.flatMap(({ tokens: [first, second] }) =>
      first?.kind === 'literal' && second?.kind === 'coordinator' ? first.text : [],
    );
    this.heads = [...new Set(literals)].slice(0, MOST_HEADS).map((text) => Buffer.from(text, 'latin1'));
  }

  /** The head a key has before its id at this place; `null` when there is none. */
  headOf(key: Uint8Array, idFrom: number): number | null {
    for (let i = 0; i < this.heads.length; i++) {
      const head = this.heads[i] as Uint8Array;
      if (head.length !== idFrom) continue;
      let at = idFrom - 1;
      while (at >= 0 && key[at] === head[at]) at--;
      if (at < 0) return i;
    }
    return null;
  }
}
