/** batch writer: writes the batches of one run, and keeps those that Redis did not take until it does. */
import { outliving } from '../../redis/removal/replicated.ts';
import { isAway } from '../away.ts';
import type { Blocks } from '../blocks.ts';
import { batchName, sweptName } from '../runs/names.ts';
import type { PastRun } from '../runs/pastRun.ts';
import type { Batch } from './batch.ts';

/** So many wait to be written, 50 kB each; what is beyond is not recorded. */
const MOST_WAITING = 200;

export class BatchWriter {
  /** Whether Redis did not answer in time. */
  late = false;
  readonly #name: string;
  readonly #begunAt = performance.now();
  readonly #writing = new Set<Promise<void>>();
  readonly #refused = new Map<number, { readonly batch: Batch; readonly error: unknown }>();

  /**
   * @param begunAtMs the time of the queue's Redis, now
   * @param onTrouble told when a batch was not taken
   */
  constructor(
    private readonly blocks: Blocks,
    private readonly run: PastRun,
    private readonly families: readonly string[],
    private readonly begunAtMs: number,
    private readonly onTrouble: (error: unknown) => void,
  ) {
    this.#name = sweptName(run.target, run);
  }

  /** The time of the queue's Redis, as far as that is known without asking, in ms. */
  nowMs(): number {
    return Math.round(this.begunAtMs + performance.now() - this.#begunAt);
  }

  /** Writes a batch, or writes it again. Never rejects. */
  async write(batch: Batch, number: number): Promise<void> {
    const writing = this.#attempt(batch, number);
    this.#writing.add(writing);
    await writing;
    this.#writing.delete(writing);
  }

  async #attempt(batch: Batch, number: number): Promise<void> {
    try {
      if (this.#writing.size + this.#refused.size >= MOST_WAITING) throw new Error('too much waits to be written');
      await this.#write(batch, number);
    } catch (error) {
      if (this.#refused.size < MOST_WAITING) this.#refused.set(number, { batch, error });
      this.onTrouble(error);
    }
  }

  /** Waits for what is being written, and writes what was not taken; rejects when it is not taken again. */
  async settle(): Promise<void> {
    await Promise.all(this.#writing);
    for (const [number, { batch }] of this.#refused) {
      await this.#write(batch, number);
      this.#refused.delete(number);
    }
  }

  /** Writes what was not taken since Redis was away; rejects as long as it is. What it would refuse at any time waits for the end. */
  async again(): Promise<void> {
    for (const [number, { batch, error }] of this.#refused) {
      if (!isAway(error)) continue;
      await this.#write(batch, number);
      this.#refused.delete(number);
    }
  }

  async #write(batch: Batch, number: number): Promise<void> {
    const { run, target, fingerprint, trigger, by, startedAtMs, trashMs } = this.run;
    const whose = fingerprint === '' ? {} : { fingerprint };
    const told = { run, target, ...whose, trigger, by, startedAtMs, ...(trashMs === undefined ? {} : { trashMs }) };
    const meta = { ...told, atMs: this.nowMs(), families: this.families };
    const name = batchName(this.#name, this.begunAtMs, number);
    const bytes = await batch.encode(meta);
    // Who is about to go must stand there even when the server that takes this dies.
    await outliving(this.blocks.redis, async () => await this.blocks.write(name, bytes, { atMs: meta.atMs }));
    this.late = false;
  }
}
