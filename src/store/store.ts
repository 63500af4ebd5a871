/** store: who was found in a run: who lives, who is stale on what proof. README.md beside this file has the picture.
 *
 * Of who lives nothing is kept but a fingerprint. Who is stale has a record for its id and one for each of its heartbeats.
 * Where those outgrow the memory budget, they are cut into partitions by fingerprint, and the run goes partition by
 * partition; of the others' stale ones a fingerprint is kept, too, so that nothing is ever guessed.
 */
import { isIdOf, type KeySchema } from '../schema/keySchema.ts';
import { Arena, type Held, NONE, type Slice } from './arena.ts';
import { Fingerprinter, FingerprintMap, FingerprintSet } from './fingerprints.ts';
import { NameOrder } from './nameOrder.ts';
import { Swarms } from './swarms.ts';

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

/**
 * Who an id is to this run. `later`: stale, of a partition that is still to come; `earlier`: it was stale, and its partition
 * has been dealt with.
 */
export type Standing = 'unknown' | 'living' | 'stale' | 'later' | 'earlier';

/** Places in a record. All but `lives`, `left` and `state` are words of four bytes. */
const ID = { next: 0, beat: 4, keys: 8, lives: 12, left: 13, length: 14, bytes: 18 };
const BEAT = {
  next: 0,
  id: 4,
  state: 8,
  left: 9,
  beatAt: 10,
  valueBytes: 14,
  swarmLength: 18,
  proofLength: 22,
  bytes: 26,
};

/** What it takes to put one id in order. */
const ORDER_BYTES = 12;
const NO_BYTES = new Uint8Array(0);
const NO_SWARM: Slice = { bytes: NO_BYTES, from: 0, to: 0 };

/** A heartbeat that is to be entered. */
export interface Found {
  readonly id: Slice;
  readonly idSegments: number;
  readonly swarm: Slice | null;
}

/** What proves a heartbeat that was judged stale: its value, or what stands for that. */
export interface Proof {
  readonly bytes: Uint8Array;
  /** How long the value is, which Redis compares. */
  readonly valueBytes: number;
}

export class Store {
  readonly swarms = new Swarms();
  /** Ids of which a key was found whose proof fits no call: their heartbeats stay, so that it is found again (P3). */
  readonly withheld = new Set<Id>();
  #arena = new Arena();
  readonly #prints = new Fingerprinter();
  /** Ids that live; where heartbeats name swarms, pairs of id and swarm that do, too. */
  readonly #living = new FingerprintSet();
  /** Ids with a record. */
  readonly #ids = new FingerprintMap();
  /** Heartbeats with a record, where heartbeats name swarms. */
  readonly #beats = new FingerprintMap();
  /** Stale ids and pairs of other partitions. */
  readonly #elsewhere = new FingerprintSet();
  #first = NO_ID;
  #last = NO_ID;
  #idCount = 0;
  #partitionBits = 0;
  /** The partition under way, from 0. */
  partition = 0;
  /** The most segments an id has that was found. */
  mostSegments = 1;
  /** Whether there are ids of a shape that the schema does not know: whatever could be theirs stays (P4). */
  misshapen = false;
  /** How often somebody turned out to live since it was last set to 0: what was decided before must be decided anew. */
  changes = 0;

  constructor(readonly schema: KeySchema) {}

  /** The memory held, what ordering will take included. */
  get bytes(): number {
    return this.recordBytes + this.#living.bytes + this.#elsewhere.bytes;
  }

  /** What a cut into more partitions could make smaller. */
  get recordBytes(): number {
    return this.#arena.bytes + this.#ids.bytes + this.#beats.bytes + ORDER_BYTES * this.#idCount;
  }

  get partitions(): number {
    return 2 ** this.#partitionBits;
  }

  get idCount(): number {
    return this.#idCount;
  }

  // --- entering what was found

  /** Whether this heartbeat was entered before, or, being of another partition, need not be. */
  has({ id, swarm }: Found): boolean {
    const prints = this.#prints;
    prints.take(id.bytes, id.from, id.to);
    const isHere = this.#partitionOf(prints.high) === this.partition;
    if (swarm !== null) prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    const { high, low } = prints;
    if (this.#living.has(high, low)) return true;
    if (!isHere) return this.#elsewhere.has(high, low);
    return (this.schema.heartbeatDerivable ? this.#ids : this.#beats).get(high, low) !== NONE;
  }

  /** Whether an earlier pass entered this one as stale, of a partition that is to come or has come. */
  wasStale({ id, swarm }: Found): boolean {
    const prints = this.#prints;
    prints.take(id.bytes, id.from, id.to);
    if (swarm !== null) prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    return this.#elsewhere.has(prints.high, prints.low);
  }

  /** Enters one that lives: nothing of it may go. */
  enterLiving(found: Found): void {
    const { id, swarm, idSegments } = found;
    const prints = this.#prints;
    this.mostSegments = Math.max(this.mostSegments, Math.abs(idSegments));
    if (!isIdOf(this.schema, idSegments)) this.misshapen = true;
    prints.take(id.bytes, id.from, id.to);
    this.#living.add(prints.high, prints.low);
    const record = this.#ids.get(prints.high, prints.low) as Id;
    if (record !== NO_ID) this.#arena.writeByte(record, ID.lives, 1);
    if (swarm === null) return;
    this.swarms.see(swarm, true);
    prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    this.#living.add(prints.high, prints.low);
  }

  /**
   * Enters one that is stale and was not entered before, with what proves it; `null`: it is lapsed, and its absence proves it.
   * Whether it belongs to the partition under way: of others the fingerprint is kept.
   */
  enterStale(found: Found, beatAtSeconds: number, proof: Proof | null): boolean {
    const { id: name, swarm, idSegments } = found;
    const prints = this.#prints;
    this.mostSegments = Math.max(this.mostSegments, Math.abs(idSegments));
    prints.take(name.bytes, name.from, name.to);
    const { high, low } = prints;
    if (swarm !== null) this.swarms.see(swarm, false);
    if (this.#partitionOf(high) !== this.partition) {
      this.#elsewhere.add(high, low);
      if (swarm === null) return false;
      prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
      this.#elsewhere.add(prints.high, prints.low);
      return false;
    }
    const id = this.#enterId(high, low, name);
    const beat = this.#addBeat(id, swarm ?? NO_SWARM, beatAtSeconds, proof);
    if (swarm === null) return true;
    prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    this.#beats.add(prints.high, prints.low, beat);
    return true;
  }

  #enterId(high: number, low: number, { bytes, from, to }: Slice): Id {
    const arena = this.#arena;
    const known = this.#ids.get(high, low) as Id;
    if (known !== NO_ID) {
      // Two ids with one fingerprint: whoever they are, nothing of theirs goes.
      if (!arena.holds(known, ID.length, ID.bytes, bytes, from, to)) {
        arena.writeByte(known, ID.lives, 1);
        this.#living.add(high, low);
      }
      return known;
    }
    const id = arena.allocate(ID.bytes + to - from) as Id;
    arena.writeWord(id, ID.next, NONE);
    arena.writeWord(id, ID.beat, NONE);
    arena.writeWord(id, ID.keys, NONE);
    arena.writeByte(id, ID.lives, this.#living.has(high, low) ? 1 : 0);
    arena.writeByte(id, ID.left, 0);
    arena.writeWord(id, ID.length, to - from);
    arena.writeBytes(id, ID.bytes, bytes, from, to);
    if (this.#last === NO_ID) this.#first = id;
    else arena.writeWord(this.#last, ID.next, id);
    this.#last = id;
    this.#ids.add(high, low, id);
    this.#idCount++;
    return id;
  }

  #addBeat(id: Id, swarm: Slice, beatAtSeconds: number, proof: Proof | null): Beat {
    const arena = this.#arena;
    const swarmLength = swarm.to - swarm.from;
    const proofLength = proof?.bytes.length ?? 0;
    const beat = arena.allocate(BEAT.bytes + swarmLength + proofLength) as Beat;
    arena.writeWord(beat, BEAT.next, arena.readWord(id, ID.beat));
    arena.writeWord(id, ID.beat, beat);
    arena.writeWord(beat, BEAT.id, id);
    arena.writeByte(beat, BEAT.state, proof === null ? BeatState.lapsed : BeatState.stale);
    arena.writeByte(beat, BEAT.left, 0);
    arena.writeWord(beat, BEAT.beatAt, beatAtSeconds);
    arena.writeWord(beat, BEAT.valueBytes, proof?.valueBytes ?? 0);
    arena.writeWord(beat, BEAT.swarmLength, swarmLength);
    arena.writeWord(beat, BEAT.proofLength, proofLength);
    arena.writeBytes(beat, BEAT.bytes, swarm.bytes, swarm.from, swarm.to);
    if (proof !== null) arena.writeBytes(beat, BEAT.bytes + swarmLength, proof.bytes, 0, proofLength);
    return beat;
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
    if (id === NO_ID) return this.#standingWithout(high, high, low);
    if (this.lives(id) || !this.#arena.holds(id, ID.length, ID.bytes, bytes, from, to)) return 'living';
    return 'stale';
  }

  /** The same for an id in one swarm. */
  standingIn(id: Slice, swarm: Slice): Standing {
    const prints = this.#prints;
    prints.take(id.bytes, id.from, id.to);
    const idHigh = prints.high;
    prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    const beat = this.#beats.get(prints.high, prints.low) as Beat;
    if (beat === NO_BEAT) return this.#standingWithout(idHigh, prints.high, prints.low);
    if (this.stateOf(beat) === BeatState.alive || !this.#isBeatOf(beat, id, swarm)) return 'living';
    return 'stale';
  }

  #standingWithout(idHigh: number, high: number, low: number): Standing {
    if (this.#living.has(high, low)) return 'living';
    if (!this.#elsewhere.has(high, low)) return 'unknown';
    return this.#partitionOf(idHigh) <= this.partition ? 'earlier' : 'later';
  }

  /** The record of an id; `NO_ID` when it has none. */
  idOf(bytes: Uint8Array, from: number, to: number): Id {
    this.#prints.take(bytes, from, to);
    const id = this.#ids.get(this.#prints.high, this.#prints.low) as Id;
    return id !== NO_ID && this.#arena.holds(id, ID.length, ID.bytes, bytes, from, to) ? id : NO_ID;
  }

  /** The record of an id's heartbeat in this swarm (`null`: heartbeats name none); `NO_BEAT` when it has none. */
  beatOf(id: Slice, swarm: Slice | null): Beat {
    if (swarm === null) {
      const record = this.idOf(id.bytes, id.from, id.to);
      return record === NO_ID ? NO_BEAT : this.firstBeat(record);
    }
    const prints = this.#prints;
    prints.take(id.bytes, id.from, id.to);
    prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    const beat = this.#beats.get(prints.high, prints.low) as Beat;
    return beat !== NO_BEAT && this.#isBeatOf(beat, id, swarm) ? beat : NO_BEAT;
  }

  #isBeatOf(beat: Beat, { bytes, from, to }: Slice, swarm: Slice): boolean {
    const arena = this.#arena;
    return (
      arena.holds(this.ownerOf(beat), ID.length, ID.bytes, bytes, from, to) &&
      arena.readWord(beat, BEAT.swarmLength) === swarm.to - swarm.from &&
      isSame(this.swarmOf(beat), swarm)
    );
  }

  // --- what a record holds

  /** Whether this id lives, in any swarm. */
  lives(id: Id): boolean {
    return this.#arena.readByte(id, ID.lives) === 1;
  }

  nameOf(id: Id): Held {
    return this.#arena.sliceOf(id, ID.bytes, this.#arena.readWord(id, ID.length));
  }

  firstBeat(id: Id): Beat {
    return this.#arena.readWord(id, ID.beat) as Beat;
  }

  nextBeat(beat: Beat): Beat {
    return this.#arena.readWord(beat, BEAT.next) as Beat;
  }

  ownerOf(beat: Beat): Id {
    return this.#arena.readWord(beat, BEAT.id) as Id;
  }

  stateOf(beat: Beat): BeatState {
    return this.#arena.readByte(beat, BEAT.state) as BeatState;
  }

  /** Whether its coordinator is stale: a heartbeat that is there, or one that has lapsed. */
  isStale(beat: Beat): boolean {
    return this.stateOf(beat) <= BeatState.lapsed;
  }

  beatAtSecondsOf(beat: Beat): number {
    return this.#arena.readWord(beat, BEAT.beatAt);
  }

  swarmOf(beat: Beat): Held {
    return this.#arena.sliceOf(beat, BEAT.bytes, this.#arena.readWord(beat, BEAT.swarmLength));
  }

  /** What proves the value that was judged. */
  proofOf(beat: Beat): Held {
    const swarmLength = this.#arena.readWord(beat, BEAT.swarmLength);
    return this.#arena.sliceOf(beat, BEAT.bytes + swarmLength, this.#arena.readWord(beat, BEAT.proofLength));
  }

  /** How long that value is. */
  valueBytesOf(beat: Beat): number {
    return this.#arena.readWord(beat, BEAT.valueBytes);
  }

  /** The first of the keys that go with an id, as the keys' own room knows it. */
  keysOf(id: Id): number {
    return this.#arena.readWord(id, ID.keys);
  }

  setKeys(id: Id, first: number): void {
    this.#arena.writeWord(id, ID.keys, first);
  }

  /** Whether a key was found that could be its, in its swarm or whatever its swarm: one that may go, or one that stays. */
  hasLeft(beat: Beat, what: Left): boolean {
    const arena = this.#arena;
    return ((arena.readByte(this.ownerOf(beat), ID.left) | arena.readByte(beat, BEAT.left)) & what) !== 0;
  }

  noteLeft(id: Id, what: Left): void {
    this.#arena.writeByte(id, ID.left, this.#arena.readByte(id, ID.left) | what);
  }

  /** The same for a key that could be its in one swarm only. */
  noteLeftInSwarm(beat: Beat, what: Left): void {
    this.#arena.writeByte(beat, BEAT.left, this.#arena.readByte(beat, BEAT.left) | what);
  }

  // --- what becomes of somebody

  /** What a removal found out, or did. */
  become(beat: Beat, state: BeatState): void {
    this.#arena.writeByte(beat, BEAT.state, state);
    if (state !== BeatState.alive) return;
    this.changes++;
    this.#arena.writeByte(this.ownerOf(beat), ID.lives, 1);
  }

  /** It was seen to beat again, at this time. */
  revive(beat: Beat, beatAtSeconds: number): void {
    this.#arena.writeWord(beat, BEAT.beatAt, beatAtSeconds);
    this.become(beat, BeatState.alive);
  }

  /** Somebody who was not known lives. */
  born(found: Found): void {
    this.changes++;
    this.enterLiving(found);
  }

  *ids(): Generator<Id> {
    for (let id = this.#first; id !== NO_ID; id = this.#arena.readWord(id, ID.next) as Id) yield id;
  }

  /**
   * All ids, those with neighbouring names together: where names count up or begin with a time, such coordinators were written
   * one after the other, and lie next to each other in Redis' memory. Sweeping them in the order of a scan, which is that of
   * a hash, took Redis a sixth longer at 300,000 coordinators.
   */
  *idsInNameOrder(): Generator<Id> {
    const order = new NameOrder(this.#idCount, (id) => this.nameOf(id as Id));
    for (const id of this.ids()) order.add(id);
    for (const id of order.inOrder()) yield id as Id;
  }

  /** Whether one id comes before another one in that order. */
  comesBefore(one: Id, other: Id): boolean {
    const a = this.nameOf(one);
    const b = this.nameOf(other);
    const longer = a.to - a.from - (b.to - b.from);
    return longer !== 0 ? longer < 0 : a.bytes.compare(b.bytes, b.from, b.to, a.from, a.to) < 0;
  }

  // --- partitions

  #partitionOf(high: number): number {
    return this.#partitionBits === 0 ? 0 : high >>> (32 - this.#partitionBits);
  }

  /** Cuts each partition in two: what belongs to the other half is known by its fingerprint from now on. */
  split(): void {
    const old = this.#arena;
    let id = this.#first;
    this.#partitionBits++;
    this.#arena = new Arena();
    this.#forgetRecords();
    for (; id !== NO_ID; id = old.readWord(id, ID.next) as Id) {
      const name = old.sliceOf(id, ID.bytes, old.readWord(id, ID.length));
      let beat = old.readWord(id, ID.beat);
      for (; beat !== NO_BEAT; beat = old.readWord(beat, BEAT.next)) {
        const swarm = old.sliceOf(beat, BEAT.bytes, old.readWord(beat, BEAT.swarmLength));
        const bytes = swarm.bytes.subarray(swarm.to, swarm.to + old.readWord(beat, BEAT.proofLength));
        const lapsed = old.readByte(beat, BEAT.state) === BeatState.lapsed;
        const proof = lapsed ? null : { bytes, valueBytes: old.readWord(beat, BEAT.valueBytes) };
        const found = { id: name, idSegments: 0, swarm: this.schema.heartbeatDerivable ? null : swarm };
        this.enterStale(found, old.readWord(beat, BEAT.beatAt), proof);
      }
    }
  }

  /** Leaves the partition under way for the next one, whose records are still to be entered. */
  nextPartition(): void {
    for (const id of this.ids()) this.#leave(id);
    this.#forgetRecords();
    this.partition++;
  }

  /** What later partitions are to know of an id. */
  #leave(id: Id): void {
    const prints = this.#prints;
    const name = this.nameOf(id);
    prints.take(name.bytes, name.from, name.to);
    (this.lives(id) ? this.#living : this.#elsewhere).add(prints.high, prints.low);
    if (this.schema.heartbeatDerivable) return;
    for (let beat = this.firstBeat(id); beat !== NO_BEAT; beat = this.nextBeat(beat)) {
      const swarm = this.swarmOf(beat);
      prints.take(name.bytes, name.from, name.to);
      prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
      const alive = this.stateOf(beat) === BeatState.alive;
      (alive ? this.#living : this.#elsewhere).add(prints.high, prints.low);
    }
  }

  #forgetRecords(): void {
    this.withheld.clear();
    this.#arena.clear();
    this.#ids.clear();
    this.#beats.clear();
    this.#first = this.#last = NO_ID;
    this.#idCount = 0;
  }
}

function isSame(a: Slice, b: Slice): boolean {
  for (let i = a.to - a.from - 1; i >= 0; i--) if (a.bytes[a.from + i] !== b.bytes[b.from + i]) return false;
  return true;
}
