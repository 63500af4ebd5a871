/** horizon: until when nobody can be stale, as a full pass left it, and how far a later run has to look.
 *
 *  Who was seen is silent since no earlier than it was then; who was born later beat later. So nobody is stale before the oldest of
 *  all these instants plus the threshold. Of the oldest ones it is known who they are: when they are due, a look at them alone tells.
 *  Limits    whoever writes a beat that lies further back than `CLOCK_SHARE` allows is found late, by so much: docs/safety.md.
 */

/** How far a run looked: at every heartbeat, at those alone that could be stale by now, or at none. */
export type Pass = 'full' | 'due' | 'none';

/** Somebody who was seen, and since when it is silent: its last beat, or later where nobody could beat meanwhile (P10). */
export interface Listed {
  /** Where its heartbeat stands. */
  readonly key: Uint8Array;
  /** In whole seconds since the epoch, by the target's clock. */
  readonly sinceSeconds: number;
}

/** What a server says of a database; 0 each where that is not known. */
export interface KeyCounts {
  /** How many keys there are, those of others included. */
  readonly keys: number;
  /** How many of them carry a time to live. */
  readonly expiring: number;
}

/** Instants are in whole seconds since the epoch, by the target's clock. */
export interface Horizon {
  /** What it holds for, as a digest: server, schema, threshold and whatever else a judgement depends on; empty: for nothing. */
  readonly basis: string;
  /** When the pass began. */
  readonly beganSeconds: number;
  /** The clock as it was last read by a run that went by this. */
  readonly lookedSeconds: number;
  /** Those who have been silent for longest, at most `MOST_LISTED`. */
  readonly listed: readonly Listed[];
  /** Nobody else, whether seen or born later, is silent since before this. */
  readonly restSeconds: number;
  /** The shortest time that heartbeats were seen to live, in seconds; `null` where they do not expire, 0 where that is not known. */
  readonly ttlSeconds: number | null;
  /** When a pass began that saw that; means nothing where they do not expire. */
  readonly ttlSeenSeconds: number;
  /** Whether it is known who was seen, so that one without a heartbeat may be stale, too (P11). */
  readonly sighted: boolean;
  /** What the pass left in the database. */
  readonly keys: number;
  readonly expiring: number;
}

/** What is known as a run begins. */
export interface Circumstances extends KeyCounts {
  readonly basis: string;
  readonly nowSeconds: number;
  readonly staleAfterSeconds: number;
  /** In how many seconds the next scheduled run comes; asked only where it matters. */
  readonly gapSeconds: () => number;
  /** Whether orphans are swept, of which a horizon knows nothing. */
  readonly sweepsOrphans: boolean;
  /** Whether an outage was noted that ended after the pass began. */
  readonly outage: boolean;
}

/** How far to look; and why so far, for whoever reads logs. */
export type Look =
  | { readonly pass: 'none' }
  | { readonly pass: 'due'; readonly due: readonly Listed[] }
  | { readonly pass: 'full'; readonly why: string };

/**
 * Who has no heartbeat any more is judged by the last beat that was seen: where that matters, what was seen is no older than this share
 * of the threshold, whatever was spared. That is how old it is with the usual settings.
 */
const SEEN_SHARE = 1 / 2;
/**
 * A database that holds so many times as many keys as the last pass left, and so many more, was filled by something else than life, such
 * as an import, whose beats may be old.
 */
const FILLED = { times: 1.25, more: 100 } as const;
/**
 * Where no heartbeat expired, so many times as many keys that do, and so many more, are possibly heartbeats of writers that are new:
 * who dies then is to be seen before. A queue in the same database has a few such keys that come and go; where none was left, any is new.
 */
const EXPIRING = { times: 1.25, more: 4 } as const;
/** A run may begin late by this share of the time between two. */
const LATE_SHARE = 1 / 10;

function full(why: string): Look {
  return { pass: 'full', why };
}

function mostExpiring({ expiring }: Horizon): number {
  return expiring === 0 ? 0 : expiring * EXPIRING.times + EXPIRING.more;
}

/** How far a scheduled run has to look; `null`: there is no horizon. */
export function lookFor(horizon: Horizon | null, now: Circumstances): Look {
  if (horizon === null || horizon.basis === '') return full('no full pass has left a horizon');
  const { nowSeconds, staleAfterSeconds } = now;
  const { beganSeconds, ttlSeconds } = horizon;
  if (horizon.basis !== now.basis) return full('server, schema, threshold or a list has changed since the last pass');
  if (nowSeconds < horizon.lookedSeconds) return full("the target's clock went back");
  if (now.keys > horizon.keys * FILLED.times + FILLED.more)
    return full('there are many more keys than the last pass left');
  if (ttlSeconds === null && !horizon.sighted && now.expiring > mostExpiring(horizon))
    return full('no heartbeat expired, and more keys do than the last pass left');
  if (now.outage) return full('there was an outage since the last pass');
  if (now.sweepsOrphans && nowSeconds + now.gapSeconds() - beganSeconds > staleAfterSeconds) {
    return full('orphans are looked for once in every threshold');
  }
  if (ttlSeconds !== null || horizon.sighted) {
    const most = Math.min(ttlSeconds ?? staleAfterSeconds, staleAfterSeconds * SEEN_SHARE);
    if (nowSeconds + now.gapSeconds() * (1 + LATE_SHARE) - beganSeconds > most) {
      return full('heartbeats that expire are looked at once in their time');
    }
  }
  const isDue = (sinceSeconds: number): boolean => nowSeconds - sinceSeconds > staleAfterSeconds;
  if (isDue(horizon.restSeconds)) return full('somebody who is not listed could be stale by now');
  const due = horizon.listed.filter(({ sinceSeconds }) => isDue(sinceSeconds));
  if (due.length === 0) return { pass: 'none' };
  // What a look at some sees is not kept: whose heartbeat went then would be judged by an older beat.
  if (horizon.sighted) return full('somebody could be stale by now, and heartbeats expire');
  return { pass: 'due', due };
}

/** The same horizon after a run that looked at nobody. */
export function lookedAgain(horizon: Horizon, nowSeconds: number): Horizon {
  return { ...horizon, lookedSeconds: nowSeconds };
}

/**
 * The same horizon after those who were due were looked at.
 * @param still who of them is silent since when by now; whoever is left out is nobody's worry any more
 */
export function movedOn(
  horizon: Horizon,
  due: readonly Listed[],
  still: readonly Listed[],
  nowSeconds: number,
): Horizon {
  const settled = new Set(due);
  const others = horizon.listed.filter((one) => !settled.has(one));
  // Who is silent since after that is one of the rest.
  const older = still.filter(({ sinceSeconds }) => sinceSeconds < horizon.restSeconds);
  return { ...horizon, lookedSeconds: nowSeconds, listed: [...others, ...older] };
}

/** A run's horizons, wherever they are kept; without one, a run makes a full pass. */
export interface Horizons {
  /** The one that stands; `null`: none, or it can't be read. Must not reject. */
  standing(): Promise<Horizon | null>;
  /** Whether an outage of the target was noted that ended after this instant, in ms; `true` where nobody can tell. Must not reject. */
  outageSince(ms: number): Promise<boolean>;
  /**
   * Puts one in the place of what stood when that was asked for last, unless somebody has put another there since; `null`: there is none
   * any more. Must not reject.
   */
  keep(horizon: Horizon | null): Promise<void>;
}
