/** outlook: what a full pass sees of how soon somebody could be stale, and the horizon that it leaves. */
import type { Horizon, KeyCounts, Listed } from './horizon.ts';

/** So many are known by name. */
export const MOST_LISTED = 1_000;
/** What their names may take together, in bytes: it is read and written with each scheduled run. */
const MOST_NAME_BYTES = 64 * 1024;
/** A writer's clock may be behind by this share of the threshold: a minute of ten. What it writes is then no older than thought. */
export const CLOCK_SHARE = 1 / 10;
/** So long it is known how short heartbeats live, in seconds, though none that is there does: who beats so now and then must be seen. */
const TTL_KNOWN_SECONDS = 86_400;

/** What a full pass sees of how soon somebody could be stale. */
export class Outlook {
  readonly #listed: Listed[] = [];
  #nameBytes = 0;
  /** Who is silent since this or later is one of the rest. */
  #restSeconds: number;
  #ttlSeconds: number | null = null;
  #lapsed = false;
  /** Whether it is known who was seen (P11). */
  sighted = false;

  /** @param beganSeconds when the pass began, by the target's clock */
  constructor(
    private readonly beganSeconds: number,
    staleAfterSeconds: number,
  ) {
    this.#restSeconds = beganSeconds - Math.floor(staleAfterSeconds * CLOCK_SHARE);
  }

  /** Notes somebody who lives; where the name is kept, it is copied. */
  see(key: Uint8Array, sinceSeconds: number): void {
    if (sinceSeconds >= this.#restSeconds) return;
    this.#listed.push({ key: Uint8Array.from(key), sinceSeconds });
    this.#nameBytes += key.length;
    if (this.#listed.length >= 2 * MOST_LISTED || this.#nameBytes >= 2 * MOST_NAME_BYTES) this.#cut();
  }

  /** Notes somebody who lives and has no heartbeat at the moment: how long it lived nobody can see now. */
  seeLapsed(key: Uint8Array, sinceSeconds: number): void {
    this.#lapsed = true;
    this.see(key, sinceSeconds);
  }

  /** Notes how long a heartbeat lives; 0: that is not known. */
  seeTtl(seconds: number): void {
    this.#ttlSeconds = Math.min(this.#ttlSeconds ?? seconds, seconds);
  }

  /**
   * The horizon that this pass leaves.
   * @param counts what it leaves in the database
   * @param before the one that an earlier pass left, whatever it held for; `null`: none
   */
  horizon(basis: string, { keys, expiring }: KeyCounts, before: Horizon | null): Horizon {
    this.#cut();
    return {
      basis,
      beganSeconds: this.beganSeconds,
      lookedSeconds: this.beganSeconds,
      listed: this.#listed.slice(),
      restSeconds: this.#restSeconds,
      ...this.#ttlAfter(before),
      sighted: this.sighted,
      keys,
      expiring,
    };
  }

  /** How long they live: for a day, and as long as somebody has none at the moment, what a pass before saw holds, too. */
  #ttlAfter(before: Horizon | null): Pick<Horizon, 'ttlSeconds' | 'ttlSeenSeconds'> {
    const seen = this.#ttlSeconds;
    const now = { ttlSeconds: seen ?? (this.#lapsed ? 0 : null), ttlSeenSeconds: this.beganSeconds };
    if (!before?.ttlSeconds) return now;
    const { ttlSeconds, ttlSeenSeconds } = before;
    const holds = this.#lapsed || this.beganSeconds - ttlSeenSeconds <= TTL_KNOWN_SECONDS;
    return holds && ttlSeconds < (seen ?? Number.POSITIVE_INFINITY) ? { ttlSeconds, ttlSeenSeconds } : now;
  }

  /** Leaves the oldest as long as they fit; all others are the rest, with those who are silent since the same second. */
  #cut(): void {
    const listed = this.#listed.sort((a, b) => a.sinceSeconds - b.sinceSeconds);
    let bytes = 0;
    let fit = 0;
    while (fit < Math.min(listed.length, MOST_LISTED)) {
      bytes += listed[fit]?.key.length ?? 0;
      if (bytes > MOST_NAME_BYTES) break;
      fit++;
    }
    const next = listed[fit];
    if (next !== undefined) {
      this.#restSeconds = next.sinceSeconds;
      while (fit > 0 && listed[fit - 1]?.sinceSeconds === this.#restSeconds) fit--;
    }
    listed.length = fit;
    this.#nameBytes = listed.reduce((sum, { key }) => sum + key.length, 0);
  }
}
