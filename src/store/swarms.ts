/** swarms: the swarms that a run saw, and in which of them somebody lives: where an id could be born meanwhile. */
import { isSwarm } from '../schema/ids.ts';
import type { Slice } from './arena.ts';

/** More swarms than this are not remembered; what that means stands in docs/safety.md. */
const MOST_SWARMS = 100_000;

export class Swarms {
  /** Whether somebody beats in the place of a swarm where none is, of no segment or of several: whatever could be theirs stays (P2, P4). */
  others = false;
  readonly #all = new Map<string, Buffer>();
  readonly #living = new Map<string, Buffer>();

  /** Notes a swarm, and whether somebody lives there. */
  see({ bytes, from, to }: Slice, lives: boolean): void {
    if (!isSwarm(bytes, from, to)) {
      this.others = true;
      return;
    }
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
