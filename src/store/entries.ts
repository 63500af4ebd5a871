/** entries: who is entered into the store, and whose records are held. Of who lives nothing is kept but a fingerprint. Who is stale has a
 * record for its id and one for each of its heartbeats. Where those outgrow the memory budget, they are cut into partitions; of the
 * others' stale ones a fingerprint is kept, too, so that nothing is ever guessed.
 */
import { isIdOf, type KeySchema } from '../schema/keySchema.ts';
import { NONE, type Slice } from './arena.ts';
import { breathe, STEPS_AT_ONCE } from './breath.ts';
import { Fingerprinter } from './fingerprints.ts';
import { FingerprintMap, FingerprintSet } from './fingerprintTables.ts';
import { Outlines } from './outlines.ts';
import { Partitions } from './partitions.ts';
import { BeatState, type Found, type Id, NO_ID, type Proof, Records } from './records.ts';
import { Swarms } from './swarms.ts';

const NO_SWARM: Slice = { bytes: new Uint8Array(0), from: 0, to: 0 };

export class Entries extends Records {
  readonly swarms = new Swarms();
  /** Of all ids that were ever entered. */
  readonly outlines = new Outlines();
  readonly partitions: Partitions;
  /** Ids of which a key was found whose proof fits no call: their heartbeats stay, so that it is found again (P3). */
  readonly withheld = new Set<Id>();
  protected readonly prints = new Fingerprinter();
  /** Ids that live; where heartbeats name swarms, pairs of id and swarm that do, too. */
  protected readonly living = new FingerprintSet();
  /** Ids with a record. */
  protected idRecords = new FingerprintMap();
  /** Heartbeats with a record, where heartbeats name swarms. */
  protected beatRecords = new FingerprintMap();
  /** Whose records are being cut, and the memory that they take, until all of them have been entered anew. */
  #cut: { readonly known: FingerprintMap; readonly bytes: number; readonly done: Promise<void> } | null = null;

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
    return this.recordBytes + this.living.bytes + this.partitions.bytes;
  }

  /** What a cut into more partitions could make smaller. */
  get recordBytes(): number {
    return this.arenaBytes + this.idRecords.bytes + this.beatRecords.bytes + (this.#cut?.bytes ?? 0);
  }

  /** Takes the fingerprint of an id, or of its pair with a swarm. */
  protected takePair(id: Slice, swarm: Slice | null): void {
    this.prints.take(id.bytes, id.from, id.to);
    if (swarm !== null) this.prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
  }

  // --- entering what was found

  /** Whether this heartbeat was entered before, or, being of another partition, need not be. */
  has({ id, swarm }: Found): boolean {
    this.takePair(id, swarm);
    const { high, low } = this.prints;
    if (this.living.has(high, low)) return true;
    if (this.#cut !== null && this.#cut.known.get(high, low) !== NONE) return true;
    if (!this.partitions.isHere(id)) return this.partitions.has(high, low);
    return this.#records.get(high, low) !== NONE;
  }

  /** Finds the record of each heartbeat. */
  get #records(): FingerprintMap {
    return this.schema.heartbeatDerivable ? this.idRecords : this.beatRecords;
  }

  /** Whether an earlier pass entered this one as stale, of a partition that is to come or has come. */
  wasStale({ id, swarm }: Found): boolean {
    this.takePair(id, swarm);
    return this.partitions.has(this.prints.high, this.prints.low);
  }

  /** Enters one that lives: nothing of it may go. */
  enterLiving(found: Found): void {
    const { id, swarm } = found;
    const prints = this.prints;
    this.outlines.meet(found);
    if (!isIdOf(this.schema, found.idSegments)) this.outlines.misshapen = true;
    prints.take(id.bytes, id.from, id.to);
    this.living.add(prints.high, prints.low);
    const record = this.idRecords.get(prints.high, prints.low) as Id;
    if (record !== NO_ID) this.setLives(record);
    if (swarm === null) return;
    this.swarms.see(swarm, true);
    prints.takeFurther(swarm.bytes, swarm.from, swarm.to);
    this.living.add(prints.high, prints.low);
  }

  /**
   * Enters one that is stale and was not entered before, with what proves it; `null`: its absence does, it is lapsed.
   * Whether it belongs to the partition under way: of others the fingerprint is kept.
   */
  enterStale(found: Found, beatAtSeconds: number, proof: Proof | null): boolean {
    const { id: name, swarm } = found;
    const prints = this.prints;
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
    this.beatRecords.add(prints.high, prints.low, beat);
    return true;
  }

  #enterId(high: number, low: number, name: Slice): Id {
    const known = this.idRecords.get(high, low) as Id;
    if (known === NO_ID) {
      const id = this.addId(name, this.living.has(high, low));
      this.idRecords.add(high, low, id);
      return id;
    }
    // Two ids with one fingerprint: whoever they are, nothing of theirs goes.
    if (!this.isNamed(known, name)) {
      this.setLives(known);
      this.living.add(high, low);
    }
    return known;
  }

  // --- partitions

  /**
   * Cuts each partition in two: what belongs to the other half is known by its fingerprint from now on. Others may enter meanwhile whom
   * they find; who asks for a cut while one is under way waits for that.
   */
  split(): Promise<void> {
    if (this.#cut !== null) return this.#cut.done;
    this.partitions.split();
    const known = this.#records;
    const bytes = this.recordBytes;
    const done = this.#enterAnew().finally(() => {
      this.#cut = null;
    });
    this.#cut = { known, bytes, done };
    return done;
  }

  async #enterAnew(): Promise<void> {
    this.#forgetWho();
    let steps = 0;
    for (const { id, swarm, beatAtSeconds, proof } of this.takeOut()) {
      const found = { id, idSegments: 0, swarm: this.schema.heartbeatDerivable ? null : swarm };
      this.enterStale(found, beatAtSeconds, proof);
      if (++steps % STEPS_AT_ONCE === 0) await breathe();
    }
  }

  /** Leaves the partition under way for the next one, whose records are still to be entered. Nobody may enter anybody meanwhile. */
  async nextPartition(): Promise<void> {
    let steps = 0;
    for (const id of this.ids()) {
      this.#leave(id);
      if (++steps % STEPS_AT_ONCE === 0) await breathe();
    }
    this.clearRecords();
    this.#forgetWho();
    this.partitions.next();
  }

  /** What later partitions are to know of an id. */
  #leave(id: Id): void {
    const prints = this.prints;
    const name = this.nameOf(id);
    prints.take(name.bytes, name.from, name.to);
    (this.lives(id) ? this.living : this.partitions).add(prints.high, prints.low);
    if (this.schema.heartbeatDerivable) return;
    for (const beat of this.beatsOf(id)) {
      this.takePair(name, this.swarmOf(beat));
      (this.stateOf(beat) === BeatState.alive ? this.living : this.partitions).add(prints.high, prints.low);
    }
  }

  #forgetWho(): void {
    this.withheld.clear();
    this.idRecords = new FingerprintMap();
    this.beatRecords = new FingerprintMap();
  }
}
