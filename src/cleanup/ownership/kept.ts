/** kept: how many things stay although somebody stale could own them, since somebody who lives could, too (P2). */
import { Fingerprinter, FingerprintSet } from '../../store/fingerprints.ts';

/** So many are told apart, which takes 10 MB: SCAN may return a name twice. Of those beyond it, such a one counts twice. */
const MOST_TOLD_APART = 1_000_000;

export class Kept {
  count = 0;
  readonly #prints = new Fingerprinter();
  #known = new FingerprintSet();

  /** Counts a thing by its name, once. */
  note(name: Uint8Array): void {
    const prints = this.#prints;
    prints.take(name, 0, name.length);
    if (this.#known.has(prints.high, prints.low)) return;
    this.count++;
    if (this.#known.size < MOST_TOLD_APART) this.#known.add(prints.high, prints.low);
  }

  /** Nothing was kept after all: nothing was to go. */
  forget(): void {
    this.count = 0;
    this.#known = new FingerprintSet();
  }
}
