/** batch: what one call removes, put together from the store as it stands. */
import { Bulk } from '../../redis/call/bulk.ts';
import { addProof } from '../../redis/kinds/proof.ts';
import type { SweepChunk } from '../../redis/sweep.ts';
import { weightOfBytes } from '../../redis/pace/weight.ts';
import type { Slice } from '../../store/arena.ts';
import { type Key, NO_KEY } from '../../store/heldKeys.ts';
import { type Beat, BeatState, type Id, NO_BEAT, NO_ID } from '../../store/records.ts';
import { announcementOf } from './announcing.ts';
import type { RunContext } from '../context.ts';
import { swarmsToProve } from '../ownership/elsewhere.ts';
import { familyOf } from '../gather.ts';
import { type Derived, NO_SWARM } from '../ownership/spellers.ts';
import { type Unit, weightOf } from './unit.ts';
import { Verdicts } from '../ownership/verdict.ts';

/** A batch that knows whose heartbeats it names. */
export interface Batch extends SweepChunk {
  /** In the order of `judged`. */
  readonly judgedBeats: readonly Beat[];
  /** In the order of `absent`; `NO_BEAT` for one that has no record. */
  readonly absentBeats: readonly Beat[];
  /** The heartbeats that are to go, lapsed ones among them. */
  readonly going: readonly Beat[];
  /** For each key of each family, with whose heartbeat it goes; empty where nobody keeps a record. */
  readonly takenFor: readonly (readonly Beat[])[];
}

/** Puts a batch together. */
export class Draft {
  /** How much work it is, in keys; and how many keys of it are to go. */
  size = 0;
  keyCount = 0;
  /** How much work these are. */
  keyWeight = 0;
  /** How many heartbeats it proved once its first key was taken: no call with that key proves fewer. */
  leastProofs = 0;
  readonly #judgedBeats: Beat[] = [];
  readonly #absentBeats: Beat[] = [];
  readonly #going: Beat[] = [];
  readonly #named = new Set<Beat>();
  readonly #provedElsewhere = new Set<Id>();
  readonly #judged = { keys: new Bulk(16_384), proofs: new Bulk(32_768) };
  readonly #absent = new Bulk();
  readonly #families: readonly Bulk[];
  readonly #takenFor: readonly Beat[][];
  readonly #verdicts: Verdicts;

  constructor(private readonly run: RunContext) {
    this.#families = run.schema.families.map(() => new Bulk(8_192));
    this.#takenFor = run.schema.families.map(() => []);
    this.#verdicts = new Verdicts(run);
  }

  /** How many heartbeats it proves. */
  get proofCount(): number {
    return this.#judged.keys.count + this.#absent.count;
  }

  #swarmOf(beat: Beat): Slice {
    return this.run.schema.heartbeatDerivable ? NO_SWARM : this.run.store.swarmOf(beat);
  }

  /** Proves a heartbeat: that it is as it was judged, or, where it is gone or has lapsed, that it is not there. */
  prove(beat: Beat): void {
    if (this.#named.has(beat)) return;
    this.#named.add(beat);
    const { store, spellers } = this.run;
    this.size += weightOf(this.run, beat);
    const name = store.nameOf(store.ownerOf(beat));
    if (store.stateOf(beat) !== BeatState.stale) {
      this.#absentBeats.push(beat);
      spellers.heartbeat.spell(this.#absent, name, this.#swarmOf(beat));
      return;
    }
    this.#judgedBeats.push(beat);
    spellers.heartbeat.spell(this.#judged.keys, name, this.#swarmOf(beat));
    const { bytes, from, to } = store.proofOf(beat);
    addProof(this.#judged.proofs, bytes, from, to, store.valueBytesOf(beat));
  }

  /** Proves all heartbeats of an id, and that it has none elsewhere. */
  #proveAll(id: Id): void {
    const { store } = this.run;
    for (let beat = store.firstBeat(id); beat !== NO_BEAT; beat = store.nextBeat(beat)) this.prove(beat);
    this.#proveElsewhere(id);
  }

  #proveElsewhere(id: Id): void {
    if (this.run.schema.heartbeatDerivable || this.#provedElsewhere.has(id)) return;
    this.#provedElsewhere.add(id);
    const { store, spellers } = this.run;
    for (const bytes of swarmsToProve(this.run, id)) {
      const swarm = { bytes, from: 0, to: bytes.length };
      // Where it has a record, that is proved by itself.
      if (store.beatOf(store.nameOf(id), swarm) !== NO_BEAT) continue;
      this.#absentBeats.push(NO_BEAT);
      spellers.heartbeat.spell(this.#absent, store.nameOf(id), swarm);
      this.size++;
    }
  }

  /** Proves a unit's own heartbeats. */
  proveUnit({ stale, id, gone, lives }: Unit): void {
    for (const beat of stale) this.prove(beat);
    if (lives) return;
    for (const beat of gone) this.prove(beat);
    this.#proveElsewhere(id);
  }

  /** Its heartbeats go, too. */
  takeHeartbeats({ stale }: Unit): void {
    this.#going.push(...stale);
  }

  /** Adds the keys whose names follow from the id and its swarms. */
  takeDerived({ id, stale, lives }: Unit): void {
    const { store, spellers } = this.run;
    const name = store.nameOf(id);
    for (let i = 0; i < spellers.derived.length; i++) {
      const derived = spellers.derived[i] as Derived;
      if (!derived.speller.hasSwarm) {
        if (!lives) this.#spell(derived, name, NO_SWARM, stale[0] as Beat);
      } else for (const beat of stale) this.#spell(derived, name, this.#swarmOf(beat), beat);
    }
  }

  #spell({ family, speller, mayBeOwn }: Derived, id: Slice, swarm: Slice, beat: Beat): void {
    const { store, reader } = this.run;
    if (mayBeOwn && reader.isOwn(speller.nameOf(id, swarm))) return;
    // Derived names are nobody else's, unless there are ids that are not as the schema says.
    if (store.outlines.misshapen && !this.#mayGo(speller.nameOf(id, swarm))) return;
    speller.spell(this.#families[family] as Bulk, id, swarm);
    this.#take(family, beat, id.to - id.from);
  }

  #take(family: number, beat: Beat, bytes: number): void {
    if (this.run.mixedFamilies.recorded) this.#takenFor[family]?.push(beat);
    const weight = weightOfBytes(bytes);
    this.size += weight;
    this.keyWeight += weight;
    this.keyCount++;
    if (this.keyCount === 1) this.leastProofs = this.proofCount;
  }

  #mayGo(name: Buffer): boolean {
    return this.run.reader.read(name) !== 'heartbeat' && this.#verdicts.of(name) === 'go';
  }

  /** Adds a key that was found, with the proof of everyone who could own it, if it may go. */
  takeKey(unit: Unit, key: Key): void {
    const { run } = this;
    const { keys, store } = run;
    const name = keys.nameOf(key);
    if (keys.areOwnersTold(key) && !unit.lives && store.changes === 0) {
      const other = keys.otherOf(key) as Id;
      if (other !== NO_ID) this.#proveAll(other);
    } else {
      const verdicts = this.#verdicts;
      if (verdicts.of(name) !== 'go') return;
      // With only some of the id's heartbeats there is no proof for what any of them could own.
      if (
        unit.partial &&
        (verdicts.ids.includes(unit.id) || verdicts.beats.some((beat) => !unit.stale.includes(beat)))
      ) {
        return;
      }
      for (const heartbeat of verdicts.absent) {
        this.#absentBeats.push(NO_BEAT);
        this.#absent.add(heartbeat);
        this.size++;
      }
      for (const id of verdicts.ids) this.#proveAll(id);
      for (const beat of verdicts.beats) this.prove(beat);
    }
    const family = familyOf(run, key);
    this.#families[family]?.add(name);
    this.#take(family, unit.stale[0] as Beat, name.length);
  }

  /** The keys that were found. */
  takeKeys(unit: Unit): void {
    const { keys } = this.run;
    for (let key = unit.keys; key !== NO_KEY; key = keys.nextTo(key)) this.takeKey(unit, key);
  }

  done(): Batch {
    const { store, trash } = this.run;
    return {
      trash,
      announcement: announcementOf(this.run, this.#going),
      judgedBeats: this.#judgedBeats,
      absentBeats: this.#absentBeats,
      going: this.#going,
      judged: this.#judged,
      absent: this.#absent,
      weight: this.size,
      families: this.#families,
      told: this.run.mixedFamilies.toTell(this.#families),
      takenFor: this.#takenFor,
      heartbeats: this.#going.filter((beat) => store.stateOf(beat) === BeatState.stale).length,
    };
  }
}

/** Lets go of a batch's names and values: nobody may ask for them any more. */
export function release({ judged, absent, families }: Batch): void {
  for (const bulk of [judged.keys, judged.proofs, absent, ...families]) bulk.clear();
}

/** All of these units in one call. */
export function batchOf(run: RunContext, units: readonly Unit[]): Batch {
  const draft = new Draft(run);
  // Those that go first: the call takes them for the first of the judged.
  for (const unit of units) {
    draft.proveUnit(unit);
    draft.takeHeartbeats(unit);
  }
  for (const unit of units) {
    draft.takeKeys(unit);
    draft.takeDerived(unit);
  }
  return draft.done();
}

/** Only the keys of these units that were found, in one call; their heartbeats are the proof, and stay. */
export function keysBatchOf(run: RunContext, units: readonly Unit[]): Batch {
  const draft = new Draft(run);
  for (const unit of units) draft.proveUnit(unit);
  for (const unit of units) draft.takeKeys(unit);
  return draft.done();
}
