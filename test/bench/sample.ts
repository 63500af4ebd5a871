/** sample: what the data of a case are like. */

export type SchemaName = 'flat' | 'swarm' | 'claude-flow-novice';

export interface Sample {
  /** As the field writes them, and `stalesweep populate`; or easy: ids of one segment, and every key names one coordinator. */
  readonly data: 'field' | 'easy';
  readonly schema: SchemaName;
  readonly coordinators: number;
  /** The first so many of them are stale. */
  readonly stale: number;
  /** Keys that are nobody's business here. */
  readonly foreign: number;
  /** Acknowledgements of each coordinator. */
  readonly acks: number;
  /** How much longer a heartbeat's value is than usual, in bytes; of easy data only. */
  readonly padding: number;
  /** How long heartbeats live, in ms; `null`: until they are removed. Of data as the field has them only. */
  readonly ttlMs: number | null;
}
