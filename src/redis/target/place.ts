/** place: where a run asks and removes: one server, or a whole cluster, by the same door. */
import type { Clock } from '../../domain/heartbeat.ts';
import type { Strategy } from '../../domain/report.ts';
import type { OrphanChunk, OrphanResult } from '../orphans.ts';
import type { SweepChunk, SweepResult } from '../sweep.ts';
import type { Reader } from './reader.ts';

export interface Place extends Reader {
  /** By which silence is judged there. */
  readonly clock: Clock;
  /** How many calls may be under way at once. */
  readonly lanes: number;
  /** How many keys there were as the run began, roughly. */
  readonly keyspace: number;
  readonly strategy: Strategy;
  /** The most keys a chunk should hold. */
  readonly mostKeys: number;
  /** The most heartbeats that one chunk may prove. */
  readonly mostProofs: number;
  /**
   * What things must have in common to go in one step with a heartbeat: its slot, where others may have the same; `null`: that tells
   * nothing.
   */
  homeOf(heartbeat: Uint8Array): number | null;
  /**
   * Removes a chunk's keys if each heartbeat is as it was judged; otherwise removes nothing and says which are not. Where nothing
   * is named, the chunk is to be sent again in smaller ones.
   */
  sweep(chunk: SweepChunk): Promise<SweepResult>;
  /** Removes those orphans that are idle; removes nothing, and says which, when one of the heartbeats exists. */
  sweepOrphans(chunk: OrphanChunk): Promise<OrphanResult>;
}
