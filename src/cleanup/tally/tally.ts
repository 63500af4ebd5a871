/** tally: what a run has counted so far. */
import type { CoordinatorCounts, UnownedKeys } from '../../domain/report.ts';
import { Unreadable } from '../../domain/unreadable.ts';

/** What earlier attempts of the same run already removed; it is gone, so this attempt can't count it again. */
export interface Carried {
  readonly swept: number;
  /** How many of them had no heartbeat any more. */
  readonly lapsed: number;
  readonly deletedByFamily: readonly number[];
  readonly chunks: number;
  readonly calls: number;
  readonly slowestCallMs: number;
  readonly memoryFreedBytes: number;
  /** How many of the deleted keys are in the trash. */
  readonly trashed?: number;
}

/** So finely a report tells silences that are within the threshold. */
const SILENCE_TENTHS = 10;

export class Tally {
  /** Heartbeats that were there, readable or not. */
  met = 0;
  active = 0;
  stale = 0;
  unreadable = 0;
  held = 0;
  /** How many of the stale are to be held, once the partitions that are to come find them so. */
  aboutToBeHeld = 0;
  protected = 0;
  /** Coordinators by tenths of the threshold for which they have been silent, the last beyond it. */
  readonly silence: number[] = Array.from({ length: SILENCE_TENTHS + 1 }, () => 0);
  /** Of how many coordinators there are only orphans that are to be swept. */
  orphaned = 0;
  /** How many of the stale had no heartbeat any more (P11). */
  lapsed = 0;
  swept = 0;
  /** How many of those had no heartbeat any more. */
  lapsedSwept = 0;
  revived = 0;
  /** In a dry run: how many stale ones had their things counted. */
  counted = 0;
  chunks = 0;
  /** How many of the keys deleted are in the trash. */
  trashed = 0;
  /** How far this walk over the keyspace has come, and how many keys there are, both roughly. */
  visited = 0;
  keyspace = 0;
  /** Which walk this is, from 0, and how many there will be, as far as that is known. */
  walk = 0;
  walks = 1;
  orphans: number | null = null;
  /** Keys deleted (in a dry run: found), by family. */
  readonly byFamily: number[];
  /** Why heartbeats could not be judged, and which. */
  readonly unreadableByWhy = new Unreadable();
  /** What nodes of a cluster showed that no longer own it; `null` elsewhere. */
  unowned: UnownedKeys | null = null;

  constructor(
    families: number,
    readonly carried: Carried | null = null,
  ) {
    this.byFamily = Array.from({ length: families }, (_, i) => carried?.deletedByFamily[i] ?? 0);
    this.swept = carried?.swept ?? 0;
    this.stale = carried?.swept ?? 0;
    this.lapsed = this.lapsedSwept = carried?.lapsed ?? 0;
    this.chunks = carried?.chunks ?? 0;
    this.trashed = carried?.trashed ?? 0;
  }

  /** Counts keys of a family. */
  add(family: number, amount: number): void {
    this.byFamily[family] = (this.byFamily[family] ?? 0) + amount;
  }

  /** Counts keys of a family that went, for good or into the trash. */
  remove(family: number, amount: number, trashed: boolean): void {
    this.add(family, amount);
    if (trashed) this.trashed += amount;
  }

  /** Counts one who has been silent for so long. */
  addSilence(silentSeconds: number, staleAfterSeconds: number): void {
    const beyond = silentSeconds > staleAfterSeconds;
    const tenth = Math.min(Math.floor((silentSeconds * SILENCE_TENTHS) / staleAfterSeconds), SILENCE_TENTHS - 1);
    const place = beyond ? SILENCE_TENTHS : tenth;
    this.silence[place] = (this.silence[place] ?? 0) + 1;
  }

  /** Takes back the count of stale ones, and of the lapsed among them: nobody was there. */
  forget(stale: number, lapsed: number): void {
    this.stale -= stale;
    this.lapsed -= lapsed;
    this.silence[SILENCE_TENTHS] = (this.silence[SILENCE_TENTHS] ?? stale) - stale;
  }

  /** How many are stale and not about to be held. */
  get due(): number {
    return this.stale - this.aboutToBeHeld;
  }

  /** One who was counted as stale by the first pass, perhaps as lapsed, is held. */
  holdAwaited(lapsed = 0): void {
    this.stale--;
    this.lapsed -= lapsed;
    this.aboutToBeHeld = Math.max(0, this.aboutToBeHeld - 1);
  }

  /** What the next attempt is to know, should this one end here. */
  carry(calls: number, slowestCallMs: number): Carried {
    const { carried } = this;
    return {
      swept: this.swept,
      lapsed: this.lapsedSwept,
      deletedByFamily: [...this.byFamily],
      chunks: this.chunks,
      calls: calls + (carried?.calls ?? 0),
      slowestCallMs: Math.max(slowestCallMs, carried?.slowestCallMs ?? 0),
      memoryFreedBytes: carried?.memoryFreedBytes ?? 0,
      trashed: this.trashed,
    };
  }

  get coordinators(): CoordinatorCounts {
    const { active, due: stale, unreadable, lapsed, swept, revived } = this;
    const held = this.held + this.aboutToBeHeld;
    const checked = active + stale + unreadable + held + this.protected;
    return { checked, active, stale, unreadable, held, protected: this.protected, lapsed, swept, revived };
  }

  /** The share of the keyspace that this walk has seen, from just above 0 to 1. */
  get walked(): number {
    return this.keyspace === 0 ? 1 : Math.min(1, Math.max(this.visited, 1) / this.keyspace);
  }

  /** How far the run has come, in percent: half of it for the walks, half for the sweep, or, in a dry run, for counting. */
  get percent(): number {
    const walked = Math.min(1, (this.walk + (this.walk < this.walks ? this.walked : 0)) / this.walks);
    if (this.walk === 0) return Math.floor(walked * 50);
    const settled = this.stale === 0 ? 1 : Math.min(1, (this.swept + this.revived + this.counted) / this.stale);
    return Math.floor(walked * 50 + settled * 50);
  }

  get keys(): number {
    return this.byFamily.reduce((sum, count) => sum + count, 0);
  }
}
