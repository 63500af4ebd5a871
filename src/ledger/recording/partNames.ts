/** part names: the names of what went of those of whom not all went yet, within bounds. */
import { namesWithin } from '../../domain/names.ts';
import type { Removal } from '../../domain/removal.ts';

/** What they may take together, in bytes; of whom there is no room for, only what goes with the last call is named. */
const MOST_BYTES = 16_000_000;
/** What a name takes in memory beside its bytes, about. */
const OVERHEAD_BYTES = 200;

type Who = Pick<Removal, 'coordinator' | 'swarm'>;

function keyOf({ coordinator, swarm }: Who): string {
  const id = Buffer.from(coordinator).toString('latin1');
  return JSON.stringify([id, swarm === null ? null : Buffer.from(swarm).toString('latin1')]);
}

function bytesOf(names: readonly Uint8Array[]): number {
  return names.reduce((sum, { length }) => sum + length + OVERHEAD_BYTES, 0);
}

export class PartNames {
  readonly #names = new Map<string, readonly Uint8Array[]>();
  #bytes = 0;

  /** @param mostBytesOfOne what the names of one may take, in bytes */
  constructor(private readonly mostBytesOfOne: number) {}

  /** Adds names to those of one, as far as there is room. */
  keep(who: Who, names: readonly Uint8Array[]): void {
    const key = keyOf(who);
    const before = this.#names.get(key) ?? [];
    const all = namesWithin([...before, ...names], this.mostBytesOfOne);
    const more = bytesOf(all) - bytesOf(before);
    if (this.#bytes + more > MOST_BYTES) return;
    this.#names.set(key, all);
    this.#bytes += more;
  }

  /** All names of one, these last ones included; they are forgotten. */
  take(who: Who, last: readonly Uint8Array[]): readonly Uint8Array[] {
    if (this.#names.size === 0) return namesWithin(last, this.mostBytesOfOne);
    const key = keyOf(who);
    const before = this.#names.get(key) ?? [];
    this.#names.delete(key);
    this.#bytes -= bytesOf(before);
    return namesWithin([...before, ...last], this.mostBytesOfOne);
  }
}
