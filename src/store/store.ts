/** store: who was found in a run: who lives, who is stale on what proof. README.md beside this file has the picture.
 * Of who lives nothing is kept but a fingerprint. Who is stale has a record for its id and one for each of its heartbeats. Where those
 * outgrow the memory budget, they are cut into partitions, and the run goes partition by partition; of the others' stale ones a
 * fingerprint is kept, too, so that nothing is ever guessed.
 */
import { isIdOf, type KeySchema } from '../schema/keySchema.ts';
import { NONE, type Slice } from './arena.ts';
import { Fingerprinter } from './fingerprints.ts';
import { FingerprintMap, FingerprintSet } from './fingerprintTables.ts';
import { Outlines } from './outlines.ts';
import { type Elsewhere, Partitions } from './partitions.ts';
import { type Beat, BeatState, type Found, type Id, NO_BEAT, NO_ID, type Proof, Records } from './records.ts';
import { Swarms } from './swarms.ts';

/** Who an id is to this run. `stale`: it has a record. */
export type Standing = Elsewhere | 'living' | 'stale';

const NO_SWARM: Slice = { bytes: new Uint8Array(0), from: 0, to: 0 };

export class Store extends Records {
  readonly swarms = new Swarms();
  /** Of all ids that were ever entered. */
  readonly outlines = new Outlines();
  readonly partitions: Partitions;
  /** Ids of which a key was found whose proof fits no call: their heartbeats stay, so that it is found again (P3). */
  readonly withheld = new Set<Id>();
  readonly #prints = new Fingerprinter();
  /** Ids that live; where heartbeats name swarms, pairs of id and swarm that do, too. */
  readonly #living = new FingerprintSet();
  /** Ids with a record. */
  readonly #ids = new FingerprintMap();
  /** Heartbeats with a record, where heartbeats name swarms. */
  readonly #beats = new FingerprintMap();
  /** The record of whoever `standingOf`, or `standingIn`, last found stale. */
  staleId = NO_ID;
  staleBeat = NO_BEAT;
  /** How often somebody turned out to live since it was last set to 0: what was decided before must be decided anew. */
  changes = 0;

  /** @param seed the same in every run of a target */
  constructor(
    readonly schema: KeySchema,
    seed = 0,
  ) {
    super();
    this.partitions = new Partitions(seed);
  }

  /** The memory held, what ordering will take included. */
  get bytes(): number {
    return this.recordBytes + this.#living.bytes + this.partitions.bytes;
  }

  /** What a cut into more partitions could make smaller. */
  get recordBytes(): number {
    return this.arenaBytes + this.#ids.bytes + this.#beats.bytes;
  }

  /** Takes the fingerprint of an id, or of its pair with a swarm. */
  #take(id: Slice, swarm: Slice | null): void {
    this.#prints.take(id.bytes, id.from, id.to);
    if (swarm !== null) this.#prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
  }

  // --- entering what was found

  /** Whether this heartbeat was entered before, or, being of another partition, need not be. */
  has({ id, swarm }: Found): boolean {
    this.#take(id, swarm);
    const { high, low } = this.#prints;
    if (this.#living.has(high, low)) return true;
    if (!this.partitions.isHere(id)) return this.partitions.has(high, low);
    return (this.schema.heartbeatDerivable ? this.#ids : this.#beats).get(high, low) !== NONE;
  }

  /** Whether an earlier pass entered this one as stale, of a partition that is to come or has come. */
  wasStale({ id, swarm }: Found): boolean {
    this.#take(id, swarm);
    return this.partitions.has(this.#prints.high, this.#prints.low);
  }

  /** Enters one that lives: nothing of it may go. */
  enterLiving(found: Found): void {
    const { id, swarm } = found;
    const prints = this.#prints;
    this.outlines.meet(found);
    if (!isIdOf(this.schema, found.idSegments)) this.outlines.misshapen = true;
    prints.take(id.bytes, id.from, id.to);
    this.#living.add(prints.high, prints.low);
    const record = this.#ids.get(prints.high, prints.low) as Id;
    if (record !== NO_ID) this.setLives(record);
    if (swarm === null) return;
    this.swarms.see(swarm, true);
    prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    this.#living.add(prints.high, prints.low);
  }

  /**
   * Enters one that is stale and was not entered before, with what proves it; `null`: its absence does, it is lapsed.
   * Whether it belongs to the partition under way: of others the fingerprint is kept.
   */
  enterStale(found: Found, beatAtSeconds: number, proof: Proof | null): boolean {
    const { id: name, swarm } = found;
    const prints = this.#prints;
    this.outlines.meet(found);
    prints.take(name.bytes, name.from, name.to);
    const { high, low } = prints;
    if (swarm !== null) this.swarms.see(swarm, false);
    if (!this.partitions.isHere(name)) {
      this.partitions.await(high, low, proof === null);
      if (swarm === null) return false;
      prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
      this.partitions.add(prints.high, prints.low);
      return false;
    }
    const beat = this.addBeat(this.#enterId(high, low, name), swarm ?? NO_SWARM, beatAtSeconds, proof);
    if (swarm === null) return true;
    prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    this.#beats.add(prints.high, prints.low, beat);
    return true;
  }

  #enterId(high: number, low: number, name: Slice): Id {
    const known = this.#ids.get(high, low) as Id;
    if (known === NO_ID) {
      const id = this.addId(name, this.#living.has(high, low));
      this.#ids.add(high, low, id);
      return id;
    }
    // Two ids with one fingerprint: whoever they are, nothing of theirs goes.
    if (!this.isNamed(known, name)) {
      this.setLives(known);
      this.#living.add(high, low);
    }
    return known;
  }

  // --- who somebody is

  /** Tells that the name asked about next is another one, though it may stand in the same bytes. */
  beginName(): void {
    this.#prints.forget();
  }

  /** Who the id of these bytes is to this run. They must not change before `beginName`. */
  standingOf(bytes: Uint8Array, from: number, to: number): Standing {
    this.#prints.takeOn(bytes, from, to);
    const { high, low } = this.#prints;
    const id = this.#ids.get(high, low) as Id;
    if (id === NO_ID) return this.#standingWithout({ bytes, from, to }, high, low);
    if (this.lives(id) || !this.isNamed(id, { bytes, from, to })) return 'living';
    this.staleId = id;
    return 'stale';
  }

  /** The same for an id in one swarm. */
  standingIn(id: Slice, swarm: Slice): Standing {
    this.#take(id, swarm);
    const { high, low } = this.#prints;
    const beat = this.#beats.get(high, low) as Beat;
    if (beat === NO_BEAT) return this.#standingWithout(id, high, low);
    if (this.stateOf(beat) === BeatState.alive || !this.isBeatOf(beat, id, swarm)) return 'living';
    this.staleBeat = beat;
    return 'stale';
  }

  #standingWithout(id: Slice, high: number, low: number): Standing {
    return this.#living.has(high, low) ? 'living' : this.partitions.standingOf(id, high, low);
  }

  /** The record of an id; `NO_ID` when it has none. */
  idOf(bytes: Uint8Array, from: number, to: number): Id {
    this.#prints.take(bytes, from, to);
    const id = this.#ids.get(this.#prints.high, this.#prints.low) as Id;
    return id !== NO_ID && this.isNamed(id, { bytes, from, to }) ? id : NO_ID;
  }

  /** The record of an id's heartbeat in this swarm (`null`: heartbeats name none); `NO_BEAT` when it has none. */
  beatOf(id: Slice, swarm: Slice | null): Beat {
    if (swarm === null) {
      const record = this.idOf(id.bytes, id.from, id.to);
      return record === NO_ID ? NO_BEAT : this.firstBeat(record);
    }
    this.#take(id, swarm);
    const beat = this.#beats.get(this.#prints.high, this.#prints.low) as Beat;
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

  // --- partitions

  /** Cuts each partition in two: what belongs to the other half is known by its fingerprint from now on. */
  split(): void {
    this.partitions.split();
    const records = this.takeOut();
    this.#forgetWho();
    for (const { id, swarm, beatAtSeconds, proof } of records) {
      const found = { id, idSegments: 0, swarm: this.schema.heartbeatDerivable ? null : swarm };
      this.enterStale(found, beatAtSeconds, proof);
    }
  }

  /** Leaves the partition under way for the next one, whose records are still to be entered. */
  nextPartition(): void {
    for (const id of this.ids()) this.#leave(id);
    this.clearRecords();
    this.#forgetWho();
    this.partitions.next();
  }

  /** What later partitions are to know of an id. */
  #leave(id: Id): void {
    const prints = this.#prints;
    const name = this.nameOf(id);
    prints.take(name.bytes, name.from, name.to);
    (this.lives(id) ? this.#living : this.partitions).add(prints.high, prints.low);
    if (this.schema.heartbeatDerivable) return;
    for (let beat = this.firstBeat(id); beat !== NO_BEAT; beat = this.nextBeat(beat)) {
      const swarm = this.swarmOf(beat);
      this.#take(name, swarm);
      (this.stateOf(beat) === BeatState.alive ? this.#living : this.partitions).add(prints.high, prints.low);
    }
  }

  #forgetWho(): void {
    this.withheld.clear();
    this.#ids.clear();
    this.#beats.clear();
  }
}
