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
import { insist, Trouble, untilTaken, within } from './patience.ts';
import { endRun } from '../runs/endRun.ts';
import { endOf, type Recorded, RENEW_EVERY_MS, renew } from './recorded.ts';
import { Thinned } from './thinned.ts';
import { addLease, dropLease, readOpen, sendOpen, writeOpen, writeProgress } from '../runs/openRuns.ts';
import { PhaseWatch } from '../runs/phases.ts';
import { settleGone } from '../runs/settleGone.ts';
import { endedAs, type PastRun, removedBy, type RunIdentity } from '../runs/pastRun.ts';
import { type Going, type Swept, SweptLog } from '../swept/sweptLog.ts';
import { BatchWriter } from '../swept/batchWriter.ts';

/** How long a run waits for what must stand there before it goes on without, in ms. */
const PATIENCE_MS = 2_000;
/** How long the end of a run is repeated to a Redis that does not take it, in ms. */
const INSIST_MS = 5_000;
/** Progress is sent no more often: once something is to go, since what a killed process removed after that is not counted, and before. */
const REMOVING_EVERY_MS = 50;
const LOOKING_EVERY_MS = 250;
/** What names of keys take in a batch of 2,000 at most, in bytes: a thousand for each, three times as much as is usual. */
const MOST_NAME_BYTES = 2_000_000;
/** And no batch takes more than this share of the ledger. */
const NAMES_SHARE = 1 / 4;

export interface RunToRecord extends RunIdentity {
  /** The names of the families, in the order of all counts. */
  readonly families: readonly string[];
  /** From 1 on; left out: one more than the ledger knows of. */
  readonly attempt?: number;
  /** Whether the names of what is swept are kept, too, which takes several times the room. */
  readonly withNames?: boolean;
  /** Whether somebody may have ended it who was taken for gone: then how he did it stands. */
  readonly again?: boolean;
  /** How long its end is repeated to a Redis that does not take it, in ms, asked again after each try. @default 5,000 */
  readonly insistMs?: () => number;
  /**
   * Aborted when the run is not this process' to do any more. With it, nothing goes without a record: the beginning is repeated to a Redis
   * that is away until it takes it. Left out: the run goes on without a record after two seconds.
   */
  readonly until?: AbortSignal;
}

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

  /** Notes who is about to be swept, each copied at once; resolves once that stands in the ledger, or can't: before, nothing may go. */
  async removing(going: Iterable<Going>): Promise<void> {
    const recorded = this.#recorded;
    if (recorded === null) return;
    this.#progress.every(REMOVING_EVERY_MS);
    const written = recorded.log.announce(going);
    // While Redis is late, nobody waits for it.
    if (recorded.batches.late) return;
    try {
      await within(PATIENCE_MS, async () => await written);
    } catch (error) {
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

  /** Says no more: another process goes on with this run. */
  leave(): void {
    clearInterval(this.#timer);
    this.#progress.stop();
    this.#recorded = null;
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
    const recorded = this.#follow(blocks, nowMs, earlier);
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

  /** What there is of a run that begins, or goes on from what stands of it. */
  #follow(blocks: Blocks, nowMs: number, earlier: PastRun | null): Recorded {
    const { families, attempt, withNames: _, insistMs: __, until: ___, again: ____, ...identity } = this.wanted;
    const run: PastRun = {
      ...identity,
      state: 'active',
      outcome: null,
      startedAtMs: earlier?.startedAtMs ?? nowMs,
      atMs: nowMs,
      attempts: attempt ?? (earlier?.attempts ?? 0) + 1,
      reason: null,
      removed: earlier?.removed ?? { swept: 0, deleted: 0 },
      report: null,
      ...(earlier?.soFar === undefined ? {} : { soFar: earlier.soFar }),
    };
    const batches = new BatchWriter(blocks, run, families, nowMs, (error) =>
      this.#trouble.tell('not all that this run sweeps is recorded', error),
    );
    return {
      blocks,
      run,
      batches,
      phases: new PhaseWatch(earlier?.phases),
      log: new SweptLog(async (batch, number) => await batches.write(batch, number), this.nameBytes),
      renewedAt: performance.now(),
      renewal: null,
    };
  }

  async #finish(what: string, isWhole: boolean, act: (recorded: Recorded) => Promise<void>): Promise<void> {
    const recorded = this.#recorded;
    this.leave();
    if (recorded === null) return;
    this.#look(recorded);
    try {
      await insist(this.wanted.insistMs ?? (() => INSIST_MS), async () => {
        await recorded.renewal;
        await recorded.log.flush(isWhole);
        await recorded.batches.settle();
        await act(recorded);
      });
    } catch (error) {
      this.#trouble.tell(what, error);
    }
  }
}
