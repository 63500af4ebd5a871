/** mark: find the stale coordinators of a target.
 *      [mark] ──▶ gather ──▶ sweep ──▶ report
 *  Owns      the walk over the keyspace: pages, judgement, what is unreadable; when a run is cut into rounds.
 *  Leaves    what "stale" means to domain/heartbeat, key names to redis/keyspace.
 *  Promises  reads only; each stale heartbeat carries the value that proves it; holds no more than the memory budget (P9).
 *
 * One pass serves both heartbeats and the keys that only a scan can find: those are held by owner until it is known who is
 * stale. A page costs Redis mostly for the slots it visits, not for the names it returns, so a second pass would cost far
 * more than the longer replies.
 */
import { type Clock, judge } from '../domain/heartbeat.ts';
import { type Reader, readerOf } from '../domain/reading.ts';
import { sharedGlob } from '../domain/template.ts';
import { Bulk } from '../redis/bulk.ts';
import { readSeconds } from '../redis/clock.ts';
import { existing, readValues } from '../redis/keyspace.ts';
import { Census, NO_HEARTBEAT, State } from './census.ts';
import { pause, type RunContext, stopIfInterrupted } from './context.ts';
import { Found, HEARTBEAT, type Unread } from './found.ts';
import { NOBODY } from './roster.ts';
import type { Rounds } from './rounds.ts';
import { steadily } from './steadily.ts';
import { walk } from './walk.ts';

/**
 * Pages with few heartbeats would else bring a call each. Not more, so that Redis has these to do while the worker reads
 * the next page.
 */
const WORTH_A_CALL = 100;

class Marking {
  readonly census: Census;
  readonly #read: Reader;
  readonly #found = new Found();
  readonly #unread: Unread[] = [];
  readonly #underWay: Promise<void>[] = [];

  constructor(
    private readonly run: RunContext,
    private readonly rounds: Rounds,
  ) {
    this.census = new Census(run.schema, rounds);
    this.#read = readerOf(run.schema);
  }

  /** Takes in a page: holds its keys, and judges its heartbeats. */
  async take(keys: readonly Buffer[]): Promise<void> {
    const { census, run } = this;
    const found = this.#found;
    found.clear(keys.length);
    for (let i = 0; i < keys.length; i++) this.#sort(keys[i] as Buffer);
    census.enterAll(found);
    for (let row = 0; row < found.count; row++) {
      if (found.families[row] === HEARTBEAT) this.#unread.push(found.heartbeat(row));
      else census.holdings.hold(found, row);
    }
    await this.#judgeAll(() => this.#unread.length >= Math.min(WORTH_A_CALL, run.paces.read.size));
    this.#fit();
  }

  /** Tells whose key it is; one that belongs to an id of this round gets a row. */
  #sort(key: Buffer): void {
    const { census, rounds } = this;
    const reading = this.#read(key);
    if (reading.kind === 'foreign') return;
    if (reading.kind === 'shared') {
      census.holdings.holdShared(key, reading);
      return;
    }
    const hash = rounds.hash(key, reading.idFrom, reading.idTo);
    if (census.isHere(hash)) this.#found.add(key, hash, reading);
    else if (reading.kind === 'owned') return;
    else if (rounds.current === 0) this.#unread.push({ key, hash, id: NOBODY });
    else this.#notice(hash, key, reading);
  }

  async #judgeAll(goOn: () => boolean): Promise<void> {
    while (this.#unread.length > 0 && goOn()) {
      await this.#judgeSoon(this.#unread.splice(0, this.run.paces.read.size));
      if (!(await pause(this.run))) return;
    }
  }

  /** Resolves when everything taken in is judged. */
  async settle(): Promise<void> {
    await this.#judgeAll(() => true);
    while (this.#underWay.length > 0) await this.#underWay.shift();
    this.#fit();
  }

  /** Values are read while the next page is: Redis never waits for the worker, unless the run is to rest. */
  async #judgeSoon(heartbeats: readonly Unread[]): Promise<void> {
    const judging = this.#judge(heartbeats);
    // Whoever awaits it will see why it failed.
    judging.catch(() => {});
    this.#underWay.push(judging);
    while (this.#underWay.length >= this.run.lanes) await this.#underWay.shift();
  }

  /**
   * A heartbeat of another round, in a later pass. Stale ones of earlier rounds were swept, and those that wait were seen
   * in the first pass: any other one is new, and lives.
   */
  #notice(hash: number, key: Buffer, { idFrom, idTo }: { idFrom: number; idTo: number }): void {
    const { rounds, run } = this;
    const earlier = rounds.roundOf(hash) < rounds.current;
    // A dry run leaves the stale ones of earlier rounds where they are.
    if (earlier ? run.dryRun : rounds.mayWait(hash, key, idFrom, idTo)) return;
    rounds.addLiving(hash, key, idFrom, idTo);
    rounds.addPair(key.toString('latin1'), false);
  }

  async #judge(heartbeats: readonly Unread[]): Promise<void> {
    const { run } = this;
    const { calls, paces } = run;
    const names = new Bulk(heartbeats.length * 48);
    for (const { key } of heartbeats) names.add(key);
    const { values, ms } = await steadily(run, paces.read, () => readValues(calls, names));
    names.clear();
    paces.read.learn(heartbeats.length, ms);
    const missing = heartbeats.filter((_, i) => values[i] === null).map(({ key }) => key);
    const exist = await steadily(run, paces.read, () => existing(calls, missing));
    const expired = new Set(missing.filter((_, i) => !exist[i]));
    const ahead = heartbeats.flatMap((heartbeat, i) => {
      const value = values[i] ?? null;
      return expired.has(heartbeat.key) || this.#record(heartbeat, value, run.clock, false) ? [] : { heartbeat, value };
    });
    // As `walk` does with its pages.
    values.length = 0;
    if (ahead.length === 0) return;
    // They may have beaten since the run read the clock: only the present can tell that from a wrong clock.
    const present = { ...run.clock, nowSeconds: await steadily(run, paces.read, () => readSeconds(calls)) };
    for (const { heartbeat, value } of ahead) this.#record(heartbeat, value, present, true);
  }

  /** Judges one heartbeat; `false` when it lies ahead of the clock, and that was not the present. */
  #record({ key, hash, id }: Unread, value: Buffer | null, clock: Clock, present: boolean): boolean {
    const { rounds, run, census } = this;
    const reading = this.#read(key);
    const { idFrom, idTo } = reading;
    // The rounds may have been cut since it was found: then its id is not known here any more.
    const here = id !== NOBODY && census.isHere(hash);
    if (here && census.findHeartbeat(id, hash, key, reading) !== NO_HEARTBEAT) return true;
    const judgement = judge(value === null ? null : value.toString('latin1'), clock, run.staleAfterSeconds);
    if (judgement.state === 'ahead' && !present) return false;
    // Who beat after the run began is active, however long ago that is by now: the walk may have missed keys of it (P3).
    const what = judgement.state === 'ahead' ? 'unreadable' : present ? 'active' : judgement.state;
    const stale = what === 'stale';
    if (what === 'unreadable' && rounds.current === 0) {
      run.tally.unreadableByWhy.add('why' in judgement ? judgement.why : 'future', key);
    }
    if (here) {
      census.addHeartbeat(id, hash, key, reading, State[what], stale ? value : null);
      run.tally[what]++;
      return true;
    }
    // Its own round will judge it again; until then it matters only who lives.
    run.tally.foreseen[what]++;
    if (stale) rounds.addWaiting(hash, key, idFrom, idTo);
    else rounds.addLiving(hash, key, idFrom, idTo);
    rounds.addPair(key.toString('latin1'), stale);
    return true;
  }

  /** Cuts the run into more rounds when this one outgrows its memory: what belongs to later ones is let go at once. */
  #fit(): void {
    const { census, rounds, run } = this;
    const { tally } = run;
    while (rounds.current === 0 && census.bytes > rounds.capacityBytes && census.isDivisible && rounds.split()) {
      const left = census.narrow();
      for (const what of ['active', 'stale', 'unreadable'] as const) {
        tally[what] -= left[what];
        tally.foreseen[what] += left[what];
      }
    }
  }
}

/** Walks the whole keyspace once and judges every heartbeat of the round under way; in the first, every heartbeat. */
export const mark = async (run: RunContext, rounds: Rounds): Promise<Census> => {
  const { schema, observer, tally } = run;
  const marking = new Marking(run, rounds);
  tally.visited = 0;
  for await (const keys of walk(run, sharedGlob([schema.heartbeat, ...schema.scanned]))) {
    await marking.take(keys);
    observer.progress?.('mark', tally);
  }
  await marking.settle();
  // Who was not judged any more might live: with a census that lacks somebody nothing may be removed.
  stopIfInterrupted(run);
  tally.visited = tally.keyspace;
  return marking.census;
};
