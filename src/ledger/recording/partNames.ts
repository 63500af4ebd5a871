/** part names: the names of what went of those of whom not all went yet, within bounds. */
import { nameBytesIn, namesWithin } from '../../domain/names.ts';
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

interface Part {
  readonly names: Uint8Array[];
  /** Of these names, as `namesWithin` counts them. */
  bytes: number;
}

export class PartNames {
  readonly #parts = new Map<string, Part>();
  #bytes = 0;

  /** @param mostBytesOfOne what the names of one may take, in bytes */
  constructor(private readonly mostBytesOfOne: number) {}

  /** Adds names to those of one, as far as there is room. What was added before is not looked at again. */
  keep(who: Who, names: Iterable<Uint8Array>): void {
    const key = keyOf(who);
    const part = this.#parts.get(key) ?? { names: [], bytes: 0 };
    const more = namesWithin(names, this.mostBytesOfOne - part.bytes);
    const taken = takenBy(more);
    if (this.#bytes + taken > MOST_BYTES) return;
    this.#bytes += taken;
    part.bytes += nameBytesIn(more);
    for (const name of more) part.names.push(name);
    this.#parts.set(key, part);
  }

  /** All names of one, these last ones included; they are forgotten. */
  take(who: Who, last: readonly Uint8Array[]): readonly Uint8Array[] {
    if (this.#parts.size === 0) return namesWithin(last, this.mostBytesOfOne);
    const key = keyOf(who);
    const part = this.#parts.get(key);
    if (part === undefined) return namesWithin(last, this.mostBytesOfOne);
    this.#parts.delete(key);
    this.#bytes -= takenBy(part.names);
    return [...part.names, ...namesWithin(last, this.mostBytesOfOne - part.bytes)];
  }
}

function takenBy(names: readonly Uint8Array[]): number {
  return names.reduce((sum, { length }) => sum + length + OVERHEAD_BYTES, 0);
}
