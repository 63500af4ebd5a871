/** entry: what is told of one name: whose it is, what a run would do with it now and why, and when it was swept. */
import type { Why } from '../domain/heartbeat.ts';

/**
 * - `atRisk`: active, but silent for more than half the threshold.
 * - `lapsed`: it was seen to beat, and has no heartbeat any more (P11).
 * - `none`: nobody who beats, or did of late, has this id.
 */
export type OwnerState = 'active' | 'atRisk' | 'stale' | 'unreadable' | 'held' | 'protected' | 'lapsed' | 'none';

/** What a run would do: `orphan`: nobody owns it, and it stays; `foreign`: no run looks at it. */
export type Verdict = 'stays' | 'goes' | 'orphan' | 'foreign';

/** Somebody who could own it. Names are bytes. */
export interface Owner {
  readonly coordinator: Buffer;
  /** `null` where neither the heartbeat nor the name that was asked about tells of one. */
  readonly swarm: Buffer | null;
  /** The key that is there. */
  readonly heartbeat: Buffer | null;
  /** In whole seconds, outages left out (P10); `null` where nothing is known of its last beat. */
  readonly silenceSeconds: number | null;
  readonly state: OwnerState;
  /** Why it can't be judged. */
  readonly unreadable: Why | null;
  /** Whether what it could own stays because of it. */
  readonly lives: boolean;
  /** Whether it lives because what it left was given back, and nobody has seen it since. @default false */
  readonly isGivenBack?: boolean;
}

/** Once that a run swept a coordinator. Names are bytes. */
export interface SweptOnce {
  readonly run: string;
  readonly target: string;
  /** When it was about to, in ms. */
  readonly atMs: number;
  /** When that run began, in ms, which tells apart those of one name. */
  readonly startedAtMs: number;
  /** Who asked for that run. */
  readonly by: string;
  readonly coordinator: Buffer;
  readonly swarm: Buffer | null;
  /** The proof: its last beat, in ms, `null` where that is not known, and its silence by then. */
  readonly lastBeatAtMs: number | null;
  readonly silenceSeconds: number;
  /** How many things of each family went; `null` where Redis did not tell, or the run's process ended before it could. */
  readonly keys: Readonly<Record<string, number | null>>;
  /** When it was given back last, in ms; `null` where it was not. */
  readonly restoredAtMs: number | null;
  /** Until when it, or what was left of it in the trash, can be brought back, in ms; `null` where it can't. */
  readonly restorableUntilMs: number | null;
}

/** A way in which the schema reads a key. */
export interface Reading {
  readonly family: string;
  /** As it is written in the schema. */
  readonly template: string;
  /** Whose it is, read so: each id once. */
  readonly ids: readonly Buffer[];
}

export interface Entry {
  readonly name: Buffer;
  readonly kind: 'key' | 'coordinator';
  /** Of a key that the schema names, and the template as it is written there. */
  readonly family: string | null;
  readonly template: string | null;
  /** Of a key that is no heartbeat: all of them. Left out of others. */
  readonly readings?: readonly Reading[];
  readonly owners: readonly Owner[];
  readonly verdict: Verdict;
  /** One sentence. */
  readonly why: string;
  /** The newest first. */
  readonly swept: readonly SweptOnce[];
}
