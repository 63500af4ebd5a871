/** gone: what went of those of whom not all went with one call, as counts by family. */
import { Arena, NONE } from './arena.ts';
import type { Beat } from './record.ts';

/** What a count takes, in bytes. */
const WORD = 4;
/** Stands for a count that is not known. */
const UNKNOWN = 0xff_ff_ff_ff;

/** What went of one, by family; `null`: some, and it is not known how many. */
export type Counts = readonly (number | null)[];

/** Where it stands of each what went of it. */
interface Places {
  goneOf(beat: Beat): number;
  setGone(beat: Beat, gone: number): void;
}

export class Gone {
  readonly #arena = new Arena();

  constructor(private readonly places: Places) {}

  get bytes(): number {
    return this.#arena.bytes;
  }

  /** Adds what went with one call, and not the last of it. */
  add(beat: Beat, counts: Counts): void {
    const known = this.places.goneOf(beat);
    const sums = this.with(beat, counts);
    const gone = known === NONE ? this.#arena.allocate(counts.length * WORD) : known;
    for (const [family, count] of sums.entries()) this.#arena.writeWord(gone, family * WORD, count ?? UNKNOWN);
    this.places.setGone(beat, gone);
  }

  /** Whether anything was added of this one. */
  has(beat: Beat): boolean {
    return this.places.goneOf(beat) !== NONE;
  }

  /** These counts and what was added before. */
  with(beat: Beat, counts: Counts): Counts {
    const gone = this.places.goneOf(beat);
    if (gone === NONE) return counts;
    return counts.map((count, family) => {
      const before = this.#arena.readWord(gone, family * WORD);
      return count === null || before === UNKNOWN ? null : before + count;
    });
  }

  /** Forgets what was added of one: it was told. */
  forget(beat: Beat): void {
    this.places.setGone(beat, NONE);
  }

  /** Forgets all of it, with the records that it was added to. */
  clear(): void {
    this.#arena.clear();
  }
}
