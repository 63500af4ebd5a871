/** record: what stands where in the records of ids and of their heartbeats, and in which states these are. */
import { NONE, type Slice } from './arena.ts';

/** A coordinator id of whom at least one heartbeat was found stale: the number of its record. */
export type Id = number & { readonly of: 'id' };
/** A heartbeat that was found stale: the number of its record. */
export type Beat = number & { readonly of: 'beat' };

export const NO_ID = NONE as Id;
export const NO_BEAT = NONE as Beat;

/**
 * What is known of a heartbeat that has a record.
 * - `stale`: it is there, as it was judged. `lapsed`: it is not there any more (P11), and its coordinator is stale.
 * - `alive`: it was written again, or has come back. `gone`: this run has removed it, or its coordinator.
 */
export const BeatState = { stale: 0, lapsed: 1, alive: 2, gone: 3 } as const;
export type BeatState = (typeof BeatState)[keyof typeof BeatState];

/** What was found of somebody stale: a key that may go, one that stays since it could belong to somebody who lives. */
export const Left = { going: 1, shared: 2 } as const;
export type Left = (typeof Left)[keyof typeof Left];

/** What is kept of a heartbeat that was judged stale, to prove it: its value, or what stands for that. */
export interface Proof {
  readonly bytes: Uint8Array;
  /** How long the value is, which Redis compares. */
  readonly valueBytes: number;
}

/** A heartbeat that is to be entered. */
export interface Found {
  readonly id: Slice;
  readonly idSegments: number;
  readonly swarm: Slice | null;
}

/** Places in a record. All but `lives`, `left` and `state` are words of four bytes. */
export const ID = { next: 0, beat: 4, keys: 8, lives: 12, left: 13, length: 14, bytes: 18 };
export const BEAT = {
  next: 0,
  id: 4,
  state: 8,
  left: 9,
  beatAt: 10,
  valueBytes: 14,
  swarmLength: 18,
  proofLength: 22,
  gone: 26,
  bytes: 30,
};

/** Beside what a heartbeat's coordinator left: it was told that it is to go. */
export const CONDEMNED = 128;
