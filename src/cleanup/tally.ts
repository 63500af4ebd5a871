/** tally: what a run has counted so far. */
import type { CoordinatorCounts } from '../domain/report.ts';
import { Unreadable } from '../domain/unreadable.ts';

/** What earlier attempts of the same run already removed; it is gone, so this attempt can't count it again. */
export interface Carried {
  readonly swept: number;
  readonly deletedByFamily: readonly number[];
  readonly chunks: number;
  readonly calls: number;
  readonly slowestCallMs: number;
  readonly memoryFreedBytes: number;
}

export class Tally {
  active = 0;
  stale = 0;
  unreadable = 0;
  swept = 0;
  revived = 0;
  chunks = 0;
  /** How far this round's walk over the keyspace has come, and how many keys there are, both roughly. */
  visited = 0;
  keyspace = 0;
  /** Which round this is, and how many there are. */
  round = 0;
  rounds = 1;
  /** Heartbeats that were seen in the first round and will be judged again in a later one. */
  readonly foreseen = { active: 0, stale: 0, unreadable: 0 };
  orphans: number | null = null;
  /** Keys deleted (in a dry run: found), by family. */
  readonly byFamily: number[];
  /** Why, and which: as met in the first round, which judges every heartbeat. */
  readonly unreadableByWhy = new Unreadable();

  constructor(
    families: number,
    readonly carried: Carried | null = null,
  ) {
    this.byFamily = Array.from({ length: families }, (_, i) => carried?.deletedByFamily[i] ?? 0);
    this.swept = carried?.swept ?? 0;
    this.stale = carried?.swept ?? 0;
    this.chunks = carried?.chunks ?? 0;
  }

  /** Counts keys of a family. */
  add(family: number, amount: number): void {
    this.byFamily[family] = (this.byFamily[family] ?? 0) + amount;
  }

  /** What the next attempt is to know, should this one end here. */
  carry(calls: number, slowestCallMs: number): Carried {
    const { carried } = this;
    return {
      swept: this.swept,
      deletedByFamily: [...this.byFamily],
      chunks: this.chunks,
      calls: calls + (carried?.calls ?? 0),
      slowestCallMs: Math.max(slowestCallMs, carried?.slowestCallMs ?? 0),
      memoryFreedBytes: carried?.memoryFreedBytes ?? 0,
    };
  }

  get coordinators(): CoordinatorCounts {
    const { active, stale, unreadable, swept, revived } = this;
    return { checked: active + stale + unreadable, active, stale, unreadable, swept, revived };
  }

  /** What the first round counted for later ones, when there will be none. */
  countForeseen(): void {
    this.active += this.foreseen.active;
    this.stale += this.foreseen.stale;
    this.unreadable += this.foreseen.unreadable;
  }

  /** The share of the keyspace that this round has walked, from just above 0 to 1. */
  get walked(): number {
    return this.keyspace === 0 ? 1 : Math.min(1, Math.max(this.visited, 1) / this.keyspace);
  }

  /** How far the run has come, in percent: half of each round for the walk, half for the sweep. */
  get percent(): number {
    const swept = this.stale === 0 ? 1 : (this.swept + this.revived) / this.stale;
    const round = this.walked < 1 ? this.walked * 50 : 50 + swept * 50;
    return Math.floor((this.round * 100 + round) / this.rounds);
  }

  get keys(): number {
    return this.byFamily.reduce((sum, count) => sum + count, 0);
  }
}
