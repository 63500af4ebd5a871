/** swarms: the swarms that a run saw, and in which of them somebody lives: where an id could be born meanwhile. */
import type { Slice } from './arena.ts';

/** More swarms than this are not remembered; what that means stands in docs/safety.md. */
const MOST_SWARMS = 100_000;

const COLON = 58;

export class Swarms {
  readonly #all = new Map<string, Buffer>();
  readonly #living = new Map<string, Buffer>();

  /** Notes a swarm, and whether somebody lives there. What stands in the place of one and is none, of no segment or of several, is left out. */
  see({ bytes, from, to }: Slice, lives: boolean): void {
    const colon = bytes.indexOf(COLON, from);
    if (from === to || (colon !== -1 && colon < to)) return;
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', from, to);
    if (!this.#all.has(name) && this.#all.size < MOST_SWARMS) this.#all.set(name, Buffer.from(name, 'latin1'));
    const known = this.#all.get(name);
    if (lives && known !== undefined) this.#living.set(name, known);
  }

  get count(): number {
    return this.#all.size;
  }

  get livingCount(): number {
    return this.#living.size;
  }

  /** All that were seen. */
  all(): Iterable<Buffer> {
    return this.#all.values();
  }

  /** Those in which somebody lives. */
  living(): Iterable<Buffer> {
    return this.#living.values();
  }
}
