/** recorder: what one run tells the ledger, from before it removes anything until it has ended (P13).
 *
 *      begin ──▶ removing, removed, removed … progress … ──▶ end, or suspend (another attempt goes on)
 *
 *  Owns      when the ledger is written, and that it is said once, in one line, when it can't be.
 *  Promises  never rejects, and never holds a run up for long: the run goes on.
 */
import type { Outcome, Report } from '../../domain/report.ts';
import type { Blocks } from '../blocks.ts';
import { outliving } from '../../redis/removal/replicated.ts';
import { isAway } from '../away.ts';
import { insist, Trouble, untilTaken, within } from './patience.ts';
import { endRun } from '../runs/endRun.ts';
import {
  endOf,
  PATIENCE_MS,
  type Recorded,
  RENEW_EVERY_MS,
  type RunToRecord,
  recordedOf,
  renew,
  untilStands,
  writeRest,
} from './recorded.ts';
import { Thinned } from './thinned.ts';
import { addLease, dropLease, readOpen, sendOpen, writeOpen, writeProgress } from '../runs/openRuns.ts';
import { settleGone } from '../runs/settleGone.ts';
import { endedAs, removedBy } from '../runs/pastRun.ts';
import type { Going, Swept } from '../swept/sweptLog.ts';

/** How long the end of a run is repeated to a Redis that does not take it, in ms. */
const INSIST_MS = 5_000;
/** What went before a run became another's is repeated for so long: the Redis that lost it may be away for a while, in ms. */
const LEFT_MS = 10 * 60_000;
/** Progress is sent no more often: once something is to go, since what a killed process removed after that is not counted, and before. */
const REMOVING_EVERY_MS = 50;
const LOOKING_EVERY_MS = 250;
/** What names of keys take in a batch of 2,000 at most, in bytes: a thousand for each, three times as much as is usual. */
const MOST_NAME_BYTES = 2_000_000;
/** And no batch takes more than this share of the ledger. */
const NAMES_SHARE = 1 / 4;

export type { RunToRecord } from './recorded.ts';

export interface RunEnd {
  readonly outcome: Outcome;
  readonly reason?: string | null;
  /** Left out where there is none: then the one that it had reached stands. */
  readonly report?: Report | null;
}

export class RunRecorder {
  #recorded: Recorded | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Whoever begins too late finds that nobody waits any more. */
  #gaveUp = false;
  readonly #trouble: Trouble;
  readonly #progress = new Thinned(async () => await this.#renew(), LOOKING_EVERY_MS);
  /** The run's report as it stands. */
  #soFar: (() => Report) | undefined;

  /**
   * @param blocks `null`: there is no ledger, and nothing is noted
   * @param warn told once when something could not be noted
   */
  constructor(
    private readonly blocks: Blocks | null,
    private readonly wanted: RunToRecord,
    warn: (sentence: string) => void,
  ) {
    this.#trouble = new Trouble(warn);
  }

  /** What names of keys may take in a batch, in bytes; 0: they need not be told. */
  get nameBytes(): number {
    const { blocks, wanted } = this;
    if (blocks === null || wanted.withNames !== true) return 0;
    return Math.min(MOST_NAME_BYTES, Math.floor(blocks.bounds.sizeBytes * NAMES_SHARE));
  }

  /**
   * Notes that the run begins, or goes on; resolves to whether it stands in the ledger. Nothing may be removed before. Where `until` is
   * aborted first, to `false`.
   */
  async begin(): Promise<boolean> {
    const { blocks } = this;
    const { until } = this.wanted;
    if (blocks === null) return false;
    const begin = async () => await this.#begin(blocks);
    try {
      await (until === undefined ? within(PATIENCE_MS, begin) : untilTaken(until, begin));
    } catch (error) {
      this.#gaveUp = true;
      if (until?.aborted !== true) this.#trouble.tell('this run is not recorded', error);
    }
    return this.#recorded !== null;
  }

  /**
   * Notes who is about to be swept, each copied at once; resolves once that stands in the ledger, or can't, or `until` is aborted: before
   * the first, nothing may go; after the last, neither.
   */
  async removing(going: Iterable<Going>): Promise<void> {
    const recorded = this.#recorded;
    if (recorded === null) return;
    this.#progress.every(REMOVING_EVERY_MS);
    const written = recorded.log.announce(going);
    const until = this.#patient;
    // While Redis is late, nobody waits for it.
    if (recorded.batches.late) return;
    try {
      await untilStands(recorded, written, until);
    } catch (error) {
      if (until?.aborted === true) return;
      recorded.batches.late = true;
      this.#trouble.tell('not all that this run sweeps is recorded', error);
    }
  }

  /** Notes who was swept, as `removing` does. Written soon, not at once. */
  removed(swept: Iterable<Swept>): void {
    void this.#recorded?.log.sweep(swept);
  }

  /** From now on its report as it stands is to be had so; noted along with its progress, and where it ends early. */
  begins(soFar: () => Report): void {
    this.#soFar = soFar;
  }

  /** Notes that the run has come further: within 50 ms (250 as long as it removes nothing), or as soon as Redis has taken what it was told before. */
  progress(): void {
    if (this.#recorded !== null) this.#progress.tell();
  }

  /** Notes that the run enters a phase; written along with its progress, or its end. */
  phase(phase: string): void {
    this.#recorded?.phases.enter(phase);
  }

  /** Notes how the run ended; resolves once that stands in the ledger, or after five seconds. */
  async end({ outcome, reason = null, report = null }: RunEnd): Promise<void> {
    // Of what it was about when it failed, some may have gone.
    const isWhole = outcome !== 'failed' && outcome !== 'interrupted';
    await this.#finish('how this run ended is not recorded', isWhole, async ({ blocks, run }) => {
      const end = this.wanted.again ? await endOf(blocks, run) : null;
      if (end !== null && end.outcome !== 'interrupted') return;
      const ended = endedAs(run, outcome, reason ?? report?.reason ?? null, report ?? undefined);
      await outliving(blocks.redis, async () => await endRun(blocks, ended));
      await sendOpen(blocks, run, dropLease);
    });
  }

  /** Notes that this attempt is over and another one will go on; resolves as `end` does. */
  async suspend(reason: string | null): Promise<void> {
    await this.#finish('that this run waits is not recorded', false, async ({ blocks, run, batches }) => {
      await writeProgress(blocks, { ...run, state: 'waiting', reason, atMs: batches.nowMs() });
      await sendOpen(blocks, run, dropLease);
    });
  }

  /** Says no more of the run: another process goes on with it. What went here is noted all the same, beside the caller. */
  leave(): void {
    const recorded = this.#stop();
    if (recorded === null) return;
    void insist(
      () => (recorded.blocks.redis.status === 'end' ? 0 : LEFT_MS),
      async () => await writeRest(recorded, false),
    ).catch((error: unknown) => this.#trouble.tell('not all that this run swept is recorded', error));
  }

  /** With it, nothing goes before it is recorded who. */
  get #patient(): AbortSignal | undefined {
    return this.wanted.makesRoom === true ? undefined : this.wanted.until;
  }

  #stop(): Recorded | null {
    clearInterval(this.#timer);
    this.#progress.stop();
    const recorded = this.#recorded;
    this.#recorded = null;
    return recorded;
  }

  /** Sends how far it is; never rejects. */
  async #renew(): Promise<void> {
    const recorded = this.#recorded;
    if (recorded === null) return;
    this.#look(recorded);
    await renew(recorded);
  }

  /** Looks how far the run is. */
  #look(recorded: Recorded): void {
    const soFar = this.#soFar?.();
    const come = soFar === undefined ? {} : { removed: removedBy(soFar), soFar };
    recorded.run = { ...recorded.run, ...come, ...recorded.phases.field, atMs: recorded.batches.nowMs() };
  }

  async #begin(blocks: Blocks): Promise<void> {
    const { target, run } = this.wanted;
    const nowMs = await blocks.nowMs();
    // What stands there and is no run is replaced.
    const earlier = await readOpen(blocks, target, run).catch(() => null);
    const recorded = recordedOf(blocks, this.wanted, this.nameBytes, nowMs, earlier, (error) => {
      // Else it is repeated before anything goes.
      if (this.#patient === undefined || !isAway(error)) {
        this.#trouble.tell('not all that this run sweeps is recorded', error);
      }
    });
    await outliving(blocks.redis, async () => {
      await blocks.addTarget(target);
      // First of all that it lives: else it would be taken for interrupted.
      await sendOpen(blocks, recorded.run, addLease);
      if (!this.#gaveUp) await writeOpen(blocks, recorded.run);
    });
    if (this.#gaveUp) return;
    this.#recorded = recorded;
    this.#timer = setInterval(() => this.#progress.tell(), RENEW_EVERY_MS).unref();
    // Beside the run, and no matter if it fails: the next one tries again.
    void settleGone(blocks).catch(() => {});
  }

  async #finish(what: string, isWhole: boolean, act: (recorded: Recorded) => Promise<void>): Promise<void> {
    const recorded = this.#stop();
    if (recorded === null) return;
    this.#look(recorded);
    try {
      await insist(this.wanted.insistMs ?? (() => INSIST_MS), async () => {
        await recorded.renewal;
        await writeRest(recorded, isWhole);
        await act(recorded);
      });
    } catch (error) {
      this.#trouble.tell(what, error);
    }
  }
}
