/** records: what the store keeps of stale ones: a record for each id, and one for each of its heartbeats. */
import { Arena, type Held, isSame, NONE, type Slice } from './arena.ts';
import { Gone } from './gone.ts';
import { NameOrder } from './nameOrder.ts';
import { BEAT, type Beat, BeatState, CONDEMNED, ID, type Id, type Left, NO_BEAT, NO_ID, type Proof } from './record.ts';

export { type Beat, BeatState, type Found, type Id, Left, NO_BEAT, NO_ID, type Proof } from './record.ts';

/** What it takes to put one id in order. */
const ORDER_BYTES = 12;

/** The records of one partition, in the order in which they were added. */
export class Records {
  /** What went of those of whom not all went with one call. */
  readonly gone = new Gone(this);
  /** Whether proofs are to be short, though that takes longer. */
  isTight = false;
  protected arena = new Arena();
  #first = NO_ID;
  #last = NO_ID;
  #idCount = 0;

  get idCount(): number {
    return this.#idCount;
  }

  /** The memory that records take, what ordering them will take included. */
  protected get arenaBytes(): number {
    return this.arena.bytes + ORDER_BYTES * this.#idCount + this.gone.bytes;
  }

  // --- adding

  /** Adds the record of an id: without heartbeats, and without keys. */
  protected addId({ bytes, from, to }: Slice, lives: boolean): Id {
    const { arena } = this;
    const id = arena.allocate(ID.bytes + to - from) as Id;
    arena.writeWord(id, ID.next, NONE);
    arena.writeWord(id, ID.beat, NONE);
    arena.writeWord(id, ID.keys, NONE);
    arena.writeByte(id, ID.lives, lives ? 1 : 0);
    arena.writeByte(id, ID.left, 0);
    arena.writeWord(id, ID.length, to - from);
    arena.writeBytes(id, ID.bytes, bytes, from, to);
    if (this.#last === NO_ID) this.#first = id;
    else arena.writeWord(this.#last, ID.next, id);
    this.#last = id;
    this.#idCount++;
    return id;
  }
  /** Adds the record of one of its heartbeats; without proof it is a lapsed one. */
  protected addBeat(id: Id, swarm: Slice, beatAtSeconds: number, proof: Proof | null): Beat {
    const { arena } = this;
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
    arena.writeWord(beat, BEAT.gone, NONE);
    arena.writeBytes(beat, BEAT.bytes, swarm.bytes, swarm.from, swarm.to);
    if (proof !== null) arena.writeBytes(beat, BEAT.bytes + swarmLength, proof.bytes, 0, proofLength);
    return beat;
  }

  // --- what a record holds

  /** Whether this record is of an id of these bytes. */
  protected isNamed(id: Id, { bytes, from, to }: Slice): boolean {
    return this.arena.holds(id, ID.length, ID.bytes, bytes, from, to);
  }

  /** Whether this record is of the heartbeat of this id in this swarm. */
  protected isBeatOf(beat: Beat, id: Slice, swarm: Slice): boolean {
    return (
      this.isNamed(this.ownerOf(beat), id) &&
      this.arena.readWord(beat, BEAT.swarmLength) === swarm.to - swarm.from &&
      isSame(this.swarmOf(beat), swarm)
    );
  }

  /** Whether this id lives, in any swarm. */
  lives(id: Id): boolean {
    return this.arena.readByte(id, ID.lives) === 1;
  }

  nameOf(id: Id): Held {
    return this.arena.sliceOf(id, ID.bytes, this.arena.readWord(id, ID.length));
  }

  firstBeat(id: Id): Beat {
    return this.arena.readWord(id, ID.beat) as Beat;
  }

  nextBeat(beat: Beat): Beat {
    return this.arena.readWord(beat, BEAT.next) as Beat;
  }

  /** All its heartbeats. */
  *beatsOf(id: Id): Generator<Beat> {
    for (let beat = this.firstBeat(id); beat !== NO_BEAT; beat = this.nextBeat(beat)) yield beat;
  }

  ownerOf(beat: Beat): Id {
    return this.arena.readWord(beat, BEAT.id) as Id;
  }

  stateOf(beat: Beat): BeatState {
    return this.arena.readByte(beat, BEAT.state) as BeatState;
  }

  /** Whether its coordinator is stale: a heartbeat that is there, or one that has lapsed. */
  isStale(beat: Beat): boolean {
    return this.stateOf(beat) <= BeatState.lapsed;
  }

  beatAtSecondsOf(beat: Beat): number {
    return this.arena.readWord(beat, BEAT.beatAt);
  }

  swarmOf(beat: Beat): Held {
    return this.arena.sliceOf(beat, BEAT.bytes, this.arena.readWord(beat, BEAT.swarmLength));
  }

  /** What proves the value that was judged. */
  proofOf(beat: Beat): Held {
    const swarmLength = this.arena.readWord(beat, BEAT.swarmLength);
    return this.arena.sliceOf(beat, BEAT.bytes + swarmLength, this.arena.readWord(beat, BEAT.proofLength));
  }

  /** How long that value is. */
  valueBytesOf(beat: Beat): number {
    return this.arena.readWord(beat, BEAT.valueBytes);
  }

  /** The first of the keys that go with an id, as the keys' own room knows it. */
  keysOf(id: Id): number {
    return this.arena.readWord(id, ID.keys);
  }

  setKeys(id: Id, first: number): void {
    this.arena.writeWord(id, ID.keys, first);
  }

  /** Where it stands what went of it before the last of it, as that room knows it. */
  goneOf(beat: Beat): number {
    return this.arena.readWord(beat, BEAT.gone);
  }

  setGone(beat: Beat, gone: number): void {
    this.arena.writeWord(beat, BEAT.gone, gone);
  }

  /** Notes that it was told of this one that it is to go; whether that is news. */
  condemn(beat: Beat): boolean {
    const left = this.arena.readByte(beat, BEAT.left);
    this.arena.writeByte(beat, BEAT.left, left | CONDEMNED);
    return (left & CONDEMNED) === 0;
  }

  /** Whether a key was found that could be its, in its swarm or whatever its swarm: one that may go, or one that stays. */
  hasLeft(beat: Beat, what: Left): boolean {
    const { arena } = this;
    return ((arena.readByte(this.ownerOf(beat), ID.left) | arena.readByte(beat, BEAT.left)) & what) !== 0;
  }

  noteLeft(id: Id, what: Left): void {
    this.arena.writeByte(id, ID.left, this.arena.readByte(id, ID.left) | what);
  }

  /** The same for a key that could be its in one swarm only. */
  noteLeftInSwarm(beat: Beat, what: Left): void {
    this.arena.writeByte(beat, BEAT.left, this.arena.readByte(beat, BEAT.left) | what);
  }

  // --- what becomes of somebody

  protected setLives(id: Id): void {
    this.arena.writeByte(id, ID.lives, 1);
  }

  protected setState(beat: Beat, state: BeatState): void {
    this.arena.writeByte(beat, BEAT.state, state);
  }

  protected setBeatAt(beat: Beat, beatAtSeconds: number): void {
    this.arena.writeWord(beat, BEAT.beatAt, beatAtSeconds);
  }

  // --- all of them

  *ids(): Generator<Id> {
    for (let id = this.#first; id !== NO_ID; id = this.arena.readWord(id, ID.next) as Id) yield id;
  }

  /**
   * All ids, some thousands at a time, those with neighbouring names together: where names count up or begin with a time, such
   * coordinators were written one after the other, and lie next to each other in Redis' memory. Sweeping them in the order of a scan,
   * which is that of a hash, took Redis a sixth longer at 300,000 coordinators.
   */
  idsInNameOrder(): AsyncGenerator<Iterable<Id>> {
    const order = new NameOrder(this.#idCount, (id) => this.nameOf(id as Id));
    return order.inOrder(this.ids()) as AsyncGenerator<Iterable<number>> as AsyncGenerator<Iterable<Id>>;
  }

  /**
   * The record of each heartbeat whose owner is stale, once; all are let go before the first, so that what is added meanwhile is kept.
   * Who lives needs none.
   */
  protected *takeOut(): Generator<{ id: Held; swarm: Held; beatAtSeconds: number; proof: Proof | null }> {
    const old = new Records();
    old.arena = this.arena;
    old.#first = this.#first;
    this.arena = new Arena();
    this.clearRecords();
    for (const id of old.ids()) {
      for (let beat = old.firstBeat(id); beat !== NO_BEAT; beat = old.nextBeat(beat)) {
        if (!old.isStale(beat)) continue;
        const { bytes, from, to } = old.proofOf(beat);
        const lapsed = old.stateOf(beat) === BeatState.lapsed;
        const proof = lapsed ? null : { bytes: bytes.subarray(from, to), valueBytes: old.valueBytesOf(beat) };
        yield { id: old.nameOf(id), swarm: old.swarmOf(beat), beatAtSeconds: old.beatAtSecondsOf(beat), proof };
      }
    }
  }

  /** Lets go of all records. */
  protected clearRecords(): void {
    this.arena.clear();
    this.gone.clear();
    this.#first = this.#last = NO_ID;
    this.#idCount = 0;
  }
}
