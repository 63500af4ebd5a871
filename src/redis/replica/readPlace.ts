/** readPlace: a place that is read at a copy, and where things are removed at what is copied, as if both were one. */
import type { OrphanChunk, OrphanResult } from '../orphans.ts';
import type { SweepChunk, SweepResult } from '../sweep.ts';
import type { Kind } from '../pace/paces.ts';
import type { Place } from '../target/place.ts';

type Shown = Pick<Place, 'calls' | 'paces' | 'steadily' | 'lanes' | 'keyspace'>;

export class ReadPlace implements Place {
  constructor(
    private readonly shown: Shown,
    private readonly original: Place,
  ) {}

  get calls(): Place['calls'] {
    return this.shown.calls;
  }

  get paces(): Place['paces'] {
    return this.shown.paces;
  }

  get lanes(): number {
    return this.shown.lanes;
  }

  get keyspace(): number {
    return this.shown.keyspace;
  }

  get clock(): Place['clock'] {
    return this.original.clock;
  }

  get strategy(): Place['strategy'] {
    return this.original.strategy;
  }

  get mostKeys(): number {
    return this.original.mostKeys;
  }

  get mostProofs(): number {
    return this.original.mostProofs;
  }

  homeOf(heartbeat: Uint8Array): number | null {
    return this.original.homeOf(heartbeat);
  }

  async steadily<T>(kind: Kind, attempt: () => Promise<T>): Promise<T> {
    return await this.shown.steadily(kind, attempt);
  }

  async sweep(chunk: SweepChunk): Promise<SweepResult> {
    return await this.original.sweep(chunk);
  }

  async sweepOrphans(chunk: OrphanChunk): Promise<OrphanResult> {
    return await this.original.sweepOrphans(chunk);
  }
}
