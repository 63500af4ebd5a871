/** hold: who is silent beyond the threshold and yet kept, since too many fell silent together (P12). */
import type { Report } from '../../domain/report.ts';
import { HELD_FACTOR, isSudden, type Past, type SuddenSilence } from '../../domain/suddenSilence.ts';

export class Hold {
  /** Since when this target is held, in ms since the epoch; `null` while it is not. */
  sinceAt: number | null;
  /** The first instant at which somebody held may be swept, in ms since the epoch by the target's clock; `null` for nobody. */
  untilAt: number | null = null;
  /** How many stale ones would be held, and for how many seconds the first of them has been silent. */
  foreseen = 0;
  longestForeseen = 0;

  /**
   * @param past what the last completed run of this target left; `null`: nothing is known of it
   * @param setting `false`: nobody is ever held
   */
  constructor(
    private readonly past: Past | null,
    private readonly setting: SuddenSilence | false,
    private readonly staleAfterSeconds: number,
  ) {
    this.sinceAt = setting === false ? null : (past?.heldSinceAt ?? null);
  }

  /** Whether so few are active that from now on the stale ones are held; `false`, too, where they are held already. */
  begins(active: number): boolean {
    if (this.setting === false || this.sinceAt !== null) return false;
    if (!isSudden(this.past?.active ?? null, active, this.setting)) return false;
    this.sinceAt = Date.now();
    return true;
  }

  /** How few may be active, so that nobody is held from now on; `null` where that can't happen, or has. */
  get leastActive(): number | null {
    const before = this.past?.active ?? null;
    if (this.setting === false || this.sinceAt !== null || before === null) return null;
    const { fraction, from } = this.setting;
    const least = Math.min(Math.ceil(before * fraction), before - from + 1);
    return least > 0 ? least : null;
  }

  /** What a report says of it. */
  get told(): Pick<Report, 'held'> {
    const { sinceAt, untilAt } = this;
    if (sinceAt === null) return {};
    const until = untilAt === null ? null : new Date(untilAt).toISOString();
    return { held: { since: new Date(sinceAt).toISOString(), until } };
  }

  /** Whether one that has been silent for so long is held. */
  holds(silentSeconds: number): boolean {
    const { staleAfterSeconds } = this;
    return (
      this.sinceAt !== null && silentSeconds > staleAfterSeconds && silentSeconds <= HELD_FACTOR * staleAfterSeconds
    );
  }

  /** Notes somebody who is stale, and is held should that begin: of later partitions no more is known when it does. */
  foresee(silentSeconds: number): void {
    if (this.setting === false || this.sinceAt !== null || silentSeconds > HELD_FACTOR * this.staleAfterSeconds) return;
    this.foreseen++;
    this.longestForeseen = Math.max(this.longestForeseen, silentSeconds);
  }

  /** Notes somebody who is held. */
  note(silentSeconds: number, nowSeconds: number): void {
    const overAt = (nowSeconds + HELD_FACTOR * this.staleAfterSeconds - silentSeconds + 1) * 1000;
    this.untilAt = Math.min(this.untilAt ?? overAt, overAt);
  }
}
