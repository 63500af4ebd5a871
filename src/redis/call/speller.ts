/** speller: puts key names together where they travel, byte for byte and without strings. */
import type { Template } from '../../schema/template.ts';
import type { Bulk } from './bulk.ts';

/** A part of some bytes. */
interface Slice {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

type Part = { readonly kind: 'literal'; readonly bytes: Uint8Array } | { readonly kind: 'coordinator' | 'swarm' };

/** A template without `*`, ready to spell its keys. */
export class Speller {
  readonly hasSwarm: boolean;
  readonly #parts: readonly Part[];

  constructor({ tokens, text, hasSwarm }: Template) {
    this.hasSwarm = hasSwarm;
    this.#parts = tokens.map((token) => {
      if (token.kind === 'star') throw new TypeError(`"${text}" can't be derived`);
      return token.kind === 'literal' ? { kind: token.kind, bytes: Buffer.from(token.text, 'latin1') } : token;
    });
  }

  /** Adds the key of this owner; a swarm that the template does not name is not looked at. */
  spell(into: Bulk, id: Slice, swarm: Slice): void {
    let length = 0;
    for (const part of this.#parts) {
      const slice = part.kind === 'swarm' ? swarm : id;
      length += part.kind === 'literal' ? part.bytes.length : slice.to - slice.from;
    }
    into.begin(length);
    for (const part of this.#parts) {
      if (part.kind === 'literal') into.put(part.bytes, 0, part.bytes.length);
      else if (part.kind === 'swarm') into.put(swarm.bytes, swarm.from, swarm.to);
      else into.put(id.bytes, id.from, id.to);
    }
    into.end();
  }

  /** The key of this owner as bytes. */
  nameOf(id: Slice, swarm: Slice): Buffer {
    const slices = this.#parts.map((part) => {
      if (part.kind === 'literal') return part.bytes;
      const { bytes, from, to } = part.kind === 'swarm' ? swarm : id;
      return bytes.subarray(from, to);
    });
    return Buffer.concat(slices);
  }
}
