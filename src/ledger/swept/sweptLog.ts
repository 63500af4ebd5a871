/** swept log: the batches of a run, written ahead of the removal and again when it is known what became of each.
 *  Owns      which batches are not settled; that no more than a few dozen of them are kept in memory.
 *  Leaves    what to do when Redis does not take them to the recorder, by `write`.
 */
import { Batch, BatchRoom, type Going, type Swept } from './batch.ts';

export type { Going, Swept };

/**
 * A run looks ahead by no more batches than this: those of the 60,000 keys that a cluster is asked to remove at once, be they as many
 * coordinators, and some more. What became of older ones is taken as known.
 */
const MOST_UNSETTLED = 36;

/** Writes a batch under its number; called again when more is known of it. Never rejects. */
export type WriteBatch = (batch: Batch, number: number) => Promise<void>;

export class SweptLog {
  readonly #room = new BatchRoom();
  /** Written ahead, and not all of them swept yet; the oldest first. */
  readonly #unsettled = new Map<number, Batch>();
  /** Those that were swept though nobody announced it. */
  #late: Batch | null = null;
  #numbers = 0;
  #foundIn = 0;

  /** @param mostNameBytes what the names of keys in a batch may take; 0: they are not kept */
  constructor(
    private readonly write: WriteBatch,
    private readonly mostNameBytes: number,
  ) {}

  /** Notes who is about to be swept; resolves once they are written. */
  async announce(going: Iterable<Going>): Promise<void> {
    const writes: Promise<void>[] = [];
    let batch: Batch | null = null;
    // The room holds one open batch at a time.
    writes.push(this.#closeLate());
    for (const one of going) {
      this.#room.take(one);
      if (batch?.add(one)) continue;
      if (batch !== null) writes.push(this.#open(batch));
      batch = new Batch(this.#room, this.mostNameBytes);
      batch.add(one);
    }
    if (batch !== null) writes.push(this.#open(batch));
    await Promise.all(writes);
  }

  /** Notes who was swept; resolves at once unless batches are thereby settled, then once these are written. */
  async sweep(swept: Iterable<Swept>): Promise<void> {
    const touched = new Set<number>();
    const writes: Promise<void>[] = [];
    for (const one of swept) {
      this.#room.take(one);
      const number = this.#find(one);
      if (number !== null) touched.add(number);
      else writes.push(this.#addLate(one));
    }
    for (const number of touched) if (this.#unsettled.get(number)?.left === 0) writes.push(this.#settle(number));
    await Promise.all(writes);
  }

  /**
   * Writes all that is not written.
   * @param isWhole whether whoever was announced and not swept was kept; else what became of those is not known
   */
  async flush(isWhole: boolean): Promise<void> {
    const writes = [this.#closeLate()];
    for (const number of [...this.#unsettled.keys()])
      writes.push(isWhole ? this.#keepOthers(number) : this.#settle(number));
    await Promise.all(writes);
  }

  #find(swept: Swept): number | null {
    // Whoever went with one call was mostly announced together.
    if (this.#unsettled.get(this.#foundIn)?.sweep(swept)) return this.#foundIn;
    for (const [number, batch] of this.#unsettled)
      if (batch.sweep(swept)) {
        this.#foundIn = number;
        return number;
      }
    return null;
  }

  async #open(batch: Batch): Promise<void> {
    const number = this.#numbers++;
    this.#unsettled.set(number, batch);
    const [oldest] = this.#unsettled.keys();
    const settled = this.#unsettled.size > MOST_UNSETTLED && oldest !== undefined ? [this.#keepOthers(oldest)] : [];
    await Promise.all([batch.close().then(() => this.write(batch, number)), ...settled]);
  }

  async #keepOthers(number: number): Promise<void> {
    this.#unsettled.get(number)?.keepOthers();
    await this.#settle(number);
  }

  async #settle(number: number): Promise<void> {
    const batch = this.#unsettled.get(number);
    this.#unsettled.delete(number);
    if (batch !== undefined) await this.write(batch, number);
  }

  async #addLate(swept: Swept): Promise<void> {
    let full: Promise<void> | null = null;
    if (!this.#late?.add(swept)) {
      full = this.#closeLate();
      this.#late = new Batch(this.#room, this.mostNameBytes);
      this.#late.add(swept);
    }
    this.#late.sweep(swept);
    await full;
  }

  async #closeLate(): Promise<void> {
    const late = this.#late;
    this.#late = null;
    if (late === null) return;
    const number = this.#numbers++;
    await late.close();
    await this.write(late, number);
  }
}
