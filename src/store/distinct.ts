/** distinct: how many different names came, told by their fingerprints: SCAN may return one twice. */
import { Fingerprinter } from './fingerprints.ts';
import { FingerprintSet } from './fingerprintTables.ts';

/** So many are told apart, which takes 11 MB. Of those beyond, one that comes twice counts twice. */
const MOST_TOLD_APART = 1_000_000;

export class Distinct {
  count = 0;
  readonly #prints = new Fingerprinter();
  #known = new FingerprintSet();

  /** @param most so many are told apart, 11 bytes each */
  constructor(private readonly most = MOST_TOLD_APART) {}

  /** Counts a name, once; whether it is a new one. */
  add(name: Uint8Array): boolean {
    const prints = this.#prints;
    prints.take(name, 0, name.length);
    if (this.#known.has(prints.high, prints.low)) return false;
    this.count++;
    if (this.#known.size < this.most) this.#known.add(prints.high, prints.low);
    return true;
  }

  /** Whether a name came that is told apart from others. */
  has(name: Uint8Array): boolean {
    this.#prints.take(name, 0, name.length);
    return this.#known.has(this.#prints.high, this.#prints.low);
  }

  /** As if none had come. */
  clear(): void {
    this.count = 0;
    this.#known = new FingerprintSet();
  }
}
