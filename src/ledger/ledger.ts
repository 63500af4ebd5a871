/** ledger: the record of all runs and of all that was swept, in the queue's Redis: the door for whoever asks about the past.
 *  README.md has a picture.
 */
import type { Redis } from 'ioredis';
import { placeIn } from '../config/fingerprint.ts';
import type { Horizons } from '../domain/horizon.ts';
import { outliving } from '../redis/removal/replicated.ts';
import { Blocks, type Bounds } from './blocks.ts';
import { type Look, readLooks, writeLook } from './targets/looks.ts';
import { horizonsOf } from './targets/horizon.ts';
import { addOutage, endOutages, outagesSince, type Span } from './targets/outages.ts';
import type { GivenBack, RestoredNote } from './targets/restored.ts';
import { endOf } from './recording/recorded.ts';
import { RunRecorder, type RunToRecord } from './recording/recorder.ts';
import { endedSince, type SeenPages } from './runs/endedSince.ts';
import { type HistoryPage, readHistory } from './runs/history.ts';
import { findRun, type WantedRun } from './runs/findRun.ts';
import { KeptPages } from './runs/keptPages.ts';
import type { NamedPlace, NamedTarget } from './runs/names.ts';
import { readAllOpen } from './runs/openRuns.ts';
import type { PastRun } from './runs/pastRun.ts';
import type { HistoryQuery } from './runs/query.ts';
import { Sightings } from './sightings/sightings.ts';
import { type SightedTarget, sightingsKeysOf } from './sightings/sightingsKey.ts';
import { type Found, findSwept, KnownSwept, type SweptQuery, sweptBy } from './swept/lookup.ts';
import type { ReadBatch } from './swept/readBatch.ts';
import { type SweptPage, type SweptPageQuery, sweptPage } from './swept/sweptPage.ts';
import { promotedAt } from './targets/promotions.ts';
import { forgetWatched, noteWatched, watchedAt } from './targets/watched.ts';

/** What is kept, and of swept coordinators how much. */
export interface LedgerSettings extends Bounds {
  /** With `keys` the names of what went, too, which takes several times the room. @default 'ids' */
  readonly detail?: 'ids' | 'keys';
}

/** A target as runs and batches have it. */
export interface WhoseTarget {
  readonly target: string;
  readonly fingerprint?: string;
}

/** Every method but `record` rejects with the error of Redis when that can't be reached or refuses. */
export class Ledger {
  readonly #blocks: Blocks;
  readonly #pages = new KeptPages();
  readonly #swept = new KnownSwept();

  /**
   * @param redis the queue's; shared, and never closed here
   * @param prefix the queue's
   */
  constructor(
    private readonly redis: Redis,
    private readonly prefix: string,
    private readonly settings: LedgerSettings,
  ) {
    this.#blocks = new Blocks(redis, prefix, settings);
  }

  /** What a run tells the ledger; see there. */
  record(run: RunToRecord, warn: (sentence: string) => void): RunRecorder {
    return new RunRecorder(this.#blocks, { withNames: this.settings.detail === 'keys', ...run }, warn);
  }

  /** Past runs, the newest first. */
  async history(query: HistoryQuery): Promise<HistoryPage> {
    return await readHistory(this.#blocks, this.#pages, query);
  }

  /** One run by its id; `null` when there is none. */
  async findRun(wanted: WantedRun): Promise<PastRun | null> {
    return await findRun(this.#blocks, this.#pages, wanted);
  }

  /** How a run ended since this instant, in ms, that is no later than its end; `null` where it has not. */
  async endOf(run: Pick<PastRun, 'run' | 'target' | 'startedAtMs'>): Promise<PastRun | null> {
    return await endOf(this.#blocks, run);
  }

  /** A page of those whom a run swept. */
  async sweptPage(query: SweptPageQuery): Promise<SweptPage> {
    return await sweptPage(this.#blocks, query);
  }

  /** Which runs swept a coordinator, or any of these, the newest first. */
  async find(coordinators: Uint8Array | readonly Uint8Array[], query: SweptQuery): Promise<Found> {
    const ids = coordinators instanceof Uint8Array ? [coordinators] : coordinators;
    return await findSwept(this.#blocks, this.#swept, ids, query);
  }

  /** As far back as it reaches, in ms: whatever it was told since then stands in it. `null`: it is empty. */
  async reachesBackToMs(): Promise<number | null> {
    return (await this.#blocks.ages.oldest())?.atMs ?? null;
  }

  /** Makes the first `find` as quick as those that follow: for who will be asked, soon. Costs what a `find` does; once. */
  async prepareToFind(): Promise<void> {
    await this.#swept.prepare(this.#blocks);
  }

  /** Runs of all targets that ended after this instant, in ms; in no order. Costs what is new since it returned `seen`. */
  endedSince(sinceMs: number, seen: SeenPages): AsyncGenerator<PastRun, SeenPages, undefined> {
    return endedSince(this.#blocks, sinceMs, seen);
  }

  /** The targets that stand in it. */
  async targets(): Promise<string[]> {
    return await this.#blocks.targets();
  }

  /** The runs of all targets that have not ended; one whose process is gone as `interrupted`. */
  async openRuns(): Promise<PastRun[]> {
    return (await readAllOpen(this.#blocks)).map(({ run }) => run);
  }

  /** Keeps what is seen now to stand in a target, instead of what was seen before. */
  async noteLook(target: NamedTarget, look: Omit<Look, 'atMs'>): Promise<void> {
    await writeLook(this.#blocks, target, look);
  }

  /** What was last seen to stand in each of these targets; `null` where nobody has looked. */
  async looks(targets: readonly NamedTarget[]): Promise<(Look | null)[]> {
    return await readLooks(this.#blocks, targets);
  }

  /** Who was swept by a run, batch by batch. */
  sweptBy(run: {
    readonly target: string;
    readonly run: string;
    readonly startedAtMs: number;
  }): AsyncIterable<ReadBatch> {
    return sweptBy(this.#blocks, run);
  }

  /** What runs of a target saw of who beat. */
  sightingsOf(target: SightedTarget): Sightings {
    const [own = ''] = sightingsKeysOf(this.prefix, target, [target.name]);
    return new Sightings(this.redis, own, async () => {
      const names = (await this.targets()).filter((name) => name !== target.name);
      return sightingsKeysOf(this.prefix, target, names);
    });
  }

  /** Notes what was given back from a target's trash. */
  async noteRestored(target: NamedPlace, given: GivenBack): Promise<void> {
    // Only those who give back, and pages, load what reads notes: a run would take longer for that than for its answers.
    const { noteRestored } = await import('./targets/restored.ts');
    await noteRestored(this.#blocks, target, given);
  }

  /** What was given back of late of the trash of the target that a run or batch means, the newest first. */
  async restored({ target, fingerprint = '' }: WhoseTarget): Promise<readonly RestoredNote[]> {
    const { restoredIn } = await import('./targets/restored.ts');
    return await restoredIn(this.#blocks, { target, place: placeIn(fingerprint) });
  }

  /** Notes a span in which a target did not answer or took no writes. */
  async addOutage(target: NamedPlace, span: Span): Promise<void> {
    await outliving(this.#blocks.redis, async () => await addOutage(this.#blocks, target, span));
  }

  /** Forgets what was noted of the time after this instant of the target's clock, in ms: it was put back. */
  async endOutages(target: NamedPlace, atMs: number): Promise<void> {
    await outliving(this.#blocks.redis, async () => await endOutages(this.#blocks, target, atMs));
  }

  /** Those that ended after this instant, in ms, in order; apart from each other. */
  async outagesSince(target: NamedPlace, sinceMs: number): Promise<Span[]> {
    return await outagesSince(this.#blocks, target, sinceMs);
  }

  /**
   * When these histories, that servers of a target began as they took over from others, were first seen, in ms of its clock; none of
   * which nobody saw that. All that stand at this instant are to be named: those that are new are noted.
   */
  async promotedAt(
    target: NamedPlace,
    histories: readonly string[],
    nowMs: number,
    notes: boolean,
  ): Promise<ReadonlyMap<string, number>> {
    return await outliving(this.#blocks.redis, async () => {
      return await promotedAt(this.#blocks, target, histories, nowMs, notes);
    });
  }

  /** Notes that somebody looks at a target, and saw it serve at this instant of its clock, in ms. */
  async noteWatched(target: NamedPlace, atMs: number): Promise<void> {
    await noteWatched(this.#blocks, target, atMs);
  }

  /** When a target was last seen to serve, in ms by its clock; `null` where nobody looks. */
  async watchedAt(target: NamedPlace): Promise<number | null> {
    return await watchedAt(this.#blocks, target);
  }

  /** Notes that nobody looks at a target any more. */
  async forgetWatched(target: NamedPlace): Promise<void> {
    await forgetWatched(this.#blocks, target);
  }

  /** What a run of this target is to know of its horizon, and to leave. */
  horizonsOf(target: NamedTarget): Horizons {
    return horizonsOf(this.#blocks, target);
  }
}
