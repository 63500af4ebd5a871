/** mark: find the stale coordinators of a target.
 *      [mark] ──▶ gather ──▶ sweep ──▶ report
 *  Owns      the walk over the keyspace: pages, what is unreadable; when a run is cut into partitions.
 *  Leaves    what becomes of whom to judgement, whose key it is to schema, who was found to store.
 *  Promises  reads only; each stale heartbeat carries the value that proves it; holds no more than the memory budget (P9).
 *
 * One pass serves both heartbeats and the keys that only a scan can find: those are held until it is known who is stale. A
 * page costs Redis mostly for the slots it visits, not for the names it returns, so a second pass would cost far more than the
 * longer replies. Where all of it does not fit the memory budget, the keys are let go, and found again by a second pass.
 */
import { noteUnowned } from './unowned.ts';
import { ABSENT, type Reading } from '../domain/reading.ts';
import { StringHeartbeats } from '../redis/kinds/stringHeartbeats.ts';
import { sharedGlob } from '../schema/glob.ts';
import type { Found } from '../store/records.ts';
import { allOf, atReads, atWhole, pause, type Run, type RunContext, sideBySide, stopIfInterrupted } from './context.ts';
import { Expiry } from './scan/expiry.ts';
import { type Judged, judgeEach } from './scan/judgement.ts';
import { beatingIn } from './ownership/beating.ts';
import { noteVanished } from './scan/newcomers.ts';
import { makeRoom } from './scan/room.ts';
import { walk } from './scan/walk.ts';

/**
 * Pages with few heartbeats would else bring a call each. Not more, so that Redis has these to do while the worker reads
 * the next page.
 */
const WORTH_A_CALL = 100;

/** Values are read behind the scan of the next page: with fewer calls waiting there, worker and Redis wait for each other. */
const READS_PER_LANE = 3;

/** A heartbeat that was found and not yet read. */
interface Unread extends Found {
  readonly key: Buffer;
}

class Marking {
  /** Whether keys are held; not any more once they did not fit. */
  holdsKeys: boolean;
  readonly #unread: Unread[] = [];
  readonly #underWay: Promise<void>[] = [];
  readonly #expiry: Expiry | null;
  readonly #heartbeats: StringHeartbeats;

  /**
   * @param first whether this is the run's first pass, which judges every heartbeat and counts them
   * @param reads where values are read: where a node shows what another one owns by now, that one tells
   */
  constructor(
    private readonly run: RunContext,
    readonly first: boolean,
    reads: RunContext,
    holdsKeys = true,
  ) {
    this.holdsKeys = holdsKeys && first && run.schema.scanned.length > 0;
    this.#heartbeats = new StringHeartbeats(reads.node);
    this.#expiry = first && (run.sightings !== null || run.outlook !== null) ? new Expiry(reads) : null;
  }

  /** How long heartbeats live, as far as was seen; `null` where they do not expire. */
  get ttlSeconds(): number | null {
    return this.#expiry?.shortestSeconds ?? null;
  }

  /** Takes in a page: holds its keys, and judges its heartbeats. */
  async take(page: readonly Buffer[]): Promise<void> {
    for (let i = 0; i < page.length; i++) this.#sort(page[i] as Buffer);
    await this.#judgeAll(() => this.#unread.length >= Math.min(WORTH_A_CALL, this.#heartbeats.most));
    await this.#makeRoom();
  }

  #sort(key: Buffer): void {
    const { reader, keys } = this.run;
    const kind = reader.read(key);
    if (kind === 'heartbeat') {
      const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = reader;
      const swarm = swarmFrom === -1 ? null : { bytes: key, from: swarmFrom, to: swarmTo };
      this.#unread.push({ key, id: { bytes: key, from: idFrom, to: idTo }, idSegments, swarm });
    } else if (kind === 'remain' && this.holdsKeys) keys.hold(reader.template, key);
  }

  async #judgeAll(goOn: () => boolean): Promise<void> {
    while (this.#unread.length > 0 && goOn()) {
      await this.#judgeSoon(this.#unread.splice(0, this.#heartbeats.most));
      if (!(await pause(this.run))) return;
    }
  }

  /** Resolves when everything taken in is judged. */
  async settle(): Promise<void> {
    await this.#judgeAll(() => true);
    while (this.#underWay.length > 0) await this.#underWay.shift();
    await this.#makeRoom();
  }

  /** Resolves when nothing is under way any more, however it ended: what failed has been told. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** Values are read while the next page is: Redis never waits for the worker, unless the run is to rest. */
  async #judgeSoon(heartbeats: readonly Unread[]): Promise<void> {
    const judging = this.#judge(heartbeats);
    // Whoever awaits it will see why it failed.
    judging.catch(() => {});
    this.#underWay.push(judging);
    const { lanes } = this.run.node;
    const most = lanes === 1 || !this.#heartbeats.areLight ? lanes : lanes * READS_PER_LANE;
    while (this.#underWay.length >= most) await this.#underWay.shift();
  }

  async #judge(found: readonly Unread[]): Promise<void> {
    const { run } = this;
    const { store } = run;
    const heartbeats = found.filter((one) => !store.has(one));
    if (heartbeats.length === 0) return;
    const keys = heartbeats.map(({ key }) => key);
    // Asked together, so that they wait once.
    const [readings, sample] = await allOf([this.#heartbeats.read(keys), this.#expiry?.sample(keys)]);
    if (sample) this.#expiry?.learn(sample, readings);
    await judgeEach(run, heartbeats, readings, (heartbeat, reading, judged) =>
      this.#record(heartbeat, reading, judged),
    );
    for (const [i, key] of keys.entries()) if (readings[i] === ABSENT) noteVanished(run, key);
    // As `walk` does with its pages.
    readings.length = 0;
  }

  #record(found: Unread, reading: Reading, judged: Judged): void {
    const { run, first } = this;
    const { store, tally } = run;
    if (store.has(found)) return;
    if (first) tally.met++;
    if (judged.state === 'unreadable') {
      const wasStale = store.wasStale(found);
      for (const one of beatingIn(run.reader, found.key, found)) store.enterLiving(one);
      if (run.sightings !== null) run.unjudged.add(found.key);
      if (!first && !wasStale) return;
      if (wasStale) {
        // Whoever wrote it anew meanwhile, it is no proof any more.
        store.partitions.awaited--;
        tally.forget(1, 0);
      }
      tally.unreadable++;
      tally.unreadableByWhy.add(judged.why, found.key);
      return;
    }
    const { state, beatAt } = judged;
    const beatAtSeconds = Math.ceil(beatAt / 1000);
    const wasStale = store.wasStale(found);
    if (wasStale) store.partitions.awaited--;
    // Who came while an earlier partition was swept is counted here for the first time.
    if (first || !wasStale) tally.addSilence(judged.silentSeconds, run.staleAfterSeconds);
    if (first && state === 'active') run.outlook?.see(found.key, run.node.clock.nowSeconds - judged.silentSeconds);
    if (state !== 'stale') {
      store.enterLiving(found);
      run.sightings?.see(found.id, found.swarm, beatAtSeconds);
      // One that the first pass found stale has beaten before its partition came; or it was then that it came to be held.
      if (wasStale && state === 'active') tally.revived++;
      else tally[state]++;
      if (wasStale && state === 'held') tally.holdAwaited();
      else if (wasStale && state !== 'active') tally.stale--;
      return;
    }
    if (first) run.hold.foresee(judged.silentSeconds);
    if (!wasStale) tally.stale++;
    store.enterStale(found, beatAtSeconds, this.#heartbeats.proofOf(reading, store.isTight));
  }

  async #makeRoom(): Promise<void> {
    if (!(await makeRoom(this.run, this.first))) this.holdsKeys = false;
  }
}

type Pages = AsyncIterable<readonly Buffer[]> | Iterable<readonly Buffer[]>;

/** Takes in and judges all of these; when it fails, nothing is under way any more. */
async function takeAll(run: Run, marking: Marking, pages: Pages): Promise<void> {
  try {
    for await (const page of pages) await marking.take(page);
    await marking.settle();
  } finally {
    await marking.ended();
  }
  // Who was not judged any more might live: with a store that lacks somebody nothing may be removed.
  stopIfInterrupted(run);
}

export interface Marked {
  /** Whether the keys that only a scan can find are all held. */
  readonly keysHeld: boolean;
  readonly heartbeatsExpire: boolean;
}

async function* shownTo(marking: Marking, run: RunContext, glob: string): AsyncGenerator<readonly Buffer[]> {
  for await (const page of walk(run, glob)) {
    if (marking.first) run.target.moves?.shown(run.node, page);
    yield page;
    run.target.moves?.look();
    run.observer.progress?.('mark', run.tally);
  }
}

/** Walks the whole keyspace once and judges every heartbeat. */
export async function mark(run: Run): Promise<Marked> {
  const { schema } = run;
  const glob = sharedGlob([schema.heartbeat, ...schema.scanned.map(({ template }) => template)]);
  let keysHeld = true;
  let heartbeatsExpire = false;
  run.tally.visited = 0;
  await run.target.moves?.begin();
  await sideBySide(run, async (here) => {
    const marking = new Marking(here, true, atReads(run));
    await takeAll(run, marking, shownTo(marking, here, glob));
    keysHeld &&= marking.holdsKeys;
    const { ttlSeconds } = marking;
    if (ttlSeconds === null) return;
    heartbeatsExpire = true;
    run.outlook?.seeTtl(ttlSeconds);
  });
  const late = new Marking(atWhole(run), true, atWhole(run), keysHeld);
  // What the walk may have missed, since it went from one node to another meanwhile.
  await takeAll(run, late, run.target.moves?.missed() ?? []);
  keysHeld &&= late.holdsKeys;
  await noteUnowned(run);
  run.tally.visited = run.tally.keyspace;
  return { keysHeld, heartbeatsExpire };
}

/** Walks it again for the stale heartbeats of the partition that has come, whose values were let go. */
export async function markPartition(run: Run): Promise<void> {
  const glob = sharedGlob([run.schema.heartbeat]);
  run.tally.visited = 0;
  await run.target.moves?.begin();
  await sideBySide(run, async (here) => {
    const marking = new Marking(here, false, atReads(run));
    await takeAll(run, marking, shownTo(marking, here, glob));
  });
  await takeAll(run, new Marking(atWhole(run), false, atWhole(run)), run.target.moves?.missed() ?? []);
  run.tally.visited = run.tally.keyspace;
}
