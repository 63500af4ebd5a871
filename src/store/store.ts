/** store: who was found in a run: who lives, who is stale on what proof, and what becomes of them. README.md beside this file has the
 * picture.
 */
import type { Slice } from './arena.ts';
import { Entries } from './entries.ts';
import type { Elsewhere } from './partitions.ts';
import { type Beat, BeatState, type Found, type Id, NO_BEAT, NO_ID } from './records.ts';

/** Who an id is to this run. `stale`: it has a record. */
export type Standing = Elsewhere | 'living' | 'stale';

export class Store extends Entries {
  /** The record of whoever `standingOf`, or `standingIn`, last found stale. */
  staleId = NO_ID;
  staleBeat = NO_BEAT;
  /** How often somebody turned out to live since it was last set to 0: what was decided before must be decided anew. */
  changes = 0;

  // --- who somebody is

  /** Tells that the name asked about next is another one, though it may stand in the same bytes. */
  beginName(): void {
    this.prints.forget();
  }

  /** Who the id of these bytes is to this run. They must not change before `beginName`. */
  standingOf(bytes: Uint8Array, from: number, to: number): Standing {
    this.prints.takeOn(bytes, from, to);
    const { high, low } = this.prints;
    const id = this.idRecords.get(high, low) as Id;
    if (id === NO_ID) return this.#standingWithout({ bytes, from, to }, high, low);
    if (this.lives(id) || !this.isNamed(id, { bytes, from, to })) return 'living';
    this.staleId = id;
    return 'stale';
  }

  /** The same for an id in one swarm. */
  standingIn(id: Slice, swarm: Slice): Standing {
    this.takePair(id, swarm);
    const { high, low } = this.prints;
    const beat = this.beatRecords.get(high, low) as Beat;
    if (beat === NO_BEAT) return this.#standingWithout(id, high, low);
    if (this.stateOf(beat) === BeatState.alive || !this.isBeatOf(beat, id, swarm)) return 'living';
    this.staleBeat = beat;
    return 'stale';
  }

  #standingWithout(id: Slice, high: number, low: number): Standing {
    return this.living.has(high, low) ? 'living' : this.partitions.standingOf(id, high, low);
  }

  /** The record of an id; `NO_ID` when it has none. */
  idOf(bytes: Uint8Array, from: number, to: number): Id {
    this.prints.take(bytes, from, to);
    const id = this.idRecords.get(this.prints.high, this.prints.low) as Id;
    return id !== NO_ID && this.isNamed(id, { bytes, from, to }) ? id : NO_ID;
  }

  /** The record of an id's heartbeat in this swarm (`null`: heartbeats name none); `NO_BEAT` when it has none. */
  beatOf(id: Slice, swarm: Slice | null): Beat {
    if (swarm === null) {
      const record = this.idOf(id.bytes, id.from, id.to);
      return record === NO_ID ? NO_BEAT : this.firstBeat(record);
    }
    this.takePair(id, swarm);
    const beat = this.beatRecords.get(this.prints.high, this.prints.low) as Beat;
    return beat !== NO_BEAT && this.isBeatOf(beat, id, swarm) ? beat : NO_BEAT;
  }

  // --- what becomes of somebody

  /** What a removal found out, or did. */
  become(beat: Beat, state: BeatState): void {
    this.setState(beat, state);
    if (state !== BeatState.alive) return;
    this.changes++;
    this.setLives(this.ownerOf(beat));
  }

  /** It was seen to beat again, at this time. */
  revive(beat: Beat, beatAtSeconds: number): void {
    this.setBeatAt(beat, beatAtSeconds);
    this.become(beat, BeatState.alive);
  }

  /** Somebody who was not known lives. */
  born(found: Found): void {
    this.changes++;
    this.enterLiving(found);
  }
}
