/** census: who was found in a round, alive or stale, and the keys that could be theirs.
 *
 * Coordinators, heartbeats and keys are records of an arena, linked to each other and found by hash; elsewhere they are
 * known by a number. What may happen to a key is answered by `ownership`.
 */
import { MOST_KEYS } from '../redis/sweep.ts';
import { heartbeatKeyOf, type KeySchema } from '../domain/keySchema.ts';
import { type Reader, type Reading, readerOf } from '../domain/reading.ts';
import type { Owner } from '../domain/template.ts';
import { type Held, NONE, textOf } from './arena.ts';
import { HashIndex, hashOf } from './hashIndex.ts';
import { Holdings } from './holdings.ts';
import { Layout } from './layout.ts';
import { ID, type Id, NOBODY, Roster } from './roster.ts';
import type { Rounds } from './rounds.ts';

/** A heartbeat that was judged: the number of its record. */
export type Heartbeat = number & { readonly of: 'heartbeat' };
export const NO_HEARTBEAT = NONE as Heartbeat;

/** What is known of a heartbeat. `gone`: it was stale, and is no more, swept or expired. */
export const State = { active: 0, unreadable: 1, stale: 2, gone: 3 } as const;
export type State = (typeof State)[keyof typeof State];

/** Places in a record; all but `state` are words of four bytes. */
const BEAT = { next: 0, id: 4, state: 8, swarmLength: 9, valueLength: 13, bytes: 17 };

/** From this many on, the stale heartbeats of an id are worth remembering. */
const CROWD = 1_000;

export class Census extends Roster {
  readonly #read: Reader;
  readonly layout: Layout;
  readonly holdings: Holdings;
  /** Heartbeats by their key, where the id alone does not tell them. */
  readonly #heartbeats = new HashIndex();
  /** Long answers of `staleOf`, until anything changes. */
  readonly #crowds = new Map<Id, readonly Heartbeat[]>();

  constructor(
    readonly schema: KeySchema,
    rounds: Rounds,
  ) {
    super(rounds);
    this.#read = readerOf(schema);
    this.layout = new Layout(schema);
    this.holdings = new Holdings(schema, this.layout, this);
  }

  override get bytes(): number {
    return super.bytes + this.#heartbeats.bytes + this.holdings.bytes;
  }

  /** Whether a cut could make it smaller: what belongs to a single id stays together. */
  get isDivisible(): boolean {
    return this.size > 1 || this.holdings.sharedCount > 1;
  }

  // --- who is stale

  /**
   * Ids with a heartbeat that was judged stale, those with neighbouring names together: where names count up or begin with a
   * time, such coordinators were written one after the other, and lie next to each other in Redis' memory. Sweeping them in
   * the order of a scan, which is that of a hash, took Redis a sixth longer at 300,000 coordinators.
   */
  staleIds(): Generator<Id> {
    return this.inNameOrder((id) => this.arena.readByte(id, ID.wasStale) === 1);
  }

  hasHeartbeat(id: Id): boolean {
    return this.#firstOf(id) !== NO_HEARTBEAT;
  }

  /** The stale heartbeats of an id, at most so many. */
  staleOf(id: Id, most: number): readonly Heartbeat[] {
    const known = this.#crowds.get(id);
    if (known !== undefined) return known.length > most ? known.slice(0, most) : known;
    const found: Heartbeat[] = [];
    let beat = this.#firstOf(id);
    while (beat !== NO_HEARTBEAT && found.length < most) {
      if (this.stateOf(beat) === State.stale) found.push(beat);
      beat = this.#nextTo(beat);
    }
    // One that is stale in thousands of swarms may be asked for by every one of thousands of keys.
    if (found.length >= CROWD && most >= MOST_KEYS) this.#crowds.set(id, found);
    return found;
  }

  #firstOf(id: Id): Heartbeat {
    return this.arena.readWord(id, ID.heartbeat) as Heartbeat;
  }

  #nextTo(beat: Heartbeat): Heartbeat {
    return this.arena.readWord(beat, BEAT.next) as Heartbeat;
  }

  // --- heartbeats

  /** The record of an id's heartbeat in the swarm that was read; `NO_HEARTBEAT` when it was not judged yet. */
  findHeartbeat(id: Id, hash: number, key: Uint8Array, reading: Reading): Heartbeat {
    if (this.schema.heartbeatDerivable) return this.#firstOf(id);
    return this.#findOf(id, hash, key, reading.swarmFrom, reading.swarmTo);
  }

  /** The heartbeat of an owner whose swarm is known. */
  heartbeatOf(owner: Owner): Heartbeat {
    const { hash, id } = this.lookUp(owner.coordinator);
    if (id === NOBODY) return NO_HEARTBEAT;
    if (this.schema.heartbeatDerivable) return this.#firstOf(id);
    const swarm = this.spelled(owner.swarm ?? '');
    return this.#findOf(id, hash, swarm.bytes, swarm.from, swarm.to);
  }

  #findOf(id: Id, hash: number, swarm: Uint8Array, from: number, to: number): Heartbeat {
    const heartbeats = this.#heartbeats;
    const pair = hashOf(hash, swarm, from, to);
    for (let slot = heartbeats.probe(pair, pair); slot !== -1; slot = heartbeats.probe(pair, slot + 1)) {
      const beat = heartbeats.recordAt(slot) as Heartbeat;
      if (this.ownerOf(beat) === id && this.arena.holds(beat, BEAT.swarmLength, BEAT.bytes, swarm, from, to))
        return beat;
    }
    return NO_HEARTBEAT;
  }

  /** Adds a heartbeat that was not known. A stale one comes with the value that proves it. */
  addHeartbeat(id: Id, hash: number, key: Uint8Array, reading: Reading, state: State, value: Uint8Array | null): void {
    const from = Math.max(0, reading.swarmFrom);
    const swarm = { bytes: key, from, to: Math.max(from, reading.swarmTo) };
    const swarmLength = swarm.to - swarm.from;
    const valueLength = value?.length ?? 0;
    const { arena } = this;
    const beat = arena.allocate(arena.partOf(id), BEAT.bytes + swarmLength + valueLength) as Heartbeat;
    arena.writeWord(beat, BEAT.next, this.#firstOf(id));
    arena.writeWord(id, ID.heartbeat, beat);
    arena.writeWord(beat, BEAT.id, id);
    arena.writeWord(beat, BEAT.swarmLength, swarmLength);
    arena.writeBytes(beat, BEAT.bytes, swarm);
    arena.writeWord(beat, BEAT.valueLength, valueLength);
    if (value !== null) arena.writeBytes(beat, BEAT.bytes + swarmLength, { bytes: value, from: 0, to: valueLength });
    if (!this.schema.heartbeatDerivable) this.#heartbeats.add(hashOf(hash, key, swarm.from, swarm.to), beat);
    this.become(beat, state);
  }

  stateOf(beat: Heartbeat): State {
    return this.arena.readByte(beat, BEAT.state) as State;
  }

  /** Whoever is active or unreadable lives: nothing of theirs may go. */
  become(beat: Heartbeat, state: State): void {
    if (this.#crowds.size > 0) this.#crowds.clear();
    this.arena.writeByte(beat, BEAT.state, state);
    if (state === State.stale) this.arena.writeByte(this.ownerOf(beat), ID.wasStale, 1);
    if (state === State.active || state === State.unreadable) this.arena.writeByte(this.ownerOf(beat), ID.lives, 1);
  }

  ownerOf(beat: Heartbeat): Id {
    return this.arena.readWord(beat, BEAT.id) as Id;
  }

  swarmBytes(beat: Heartbeat): Held {
    return this.arena.sliceOf(beat, BEAT.bytes, this.arena.readWord(beat, BEAT.swarmLength));
  }

  valueBytes(beat: Heartbeat): Held {
    const swarmLength = this.arena.readWord(beat, BEAT.swarmLength);
    return this.arena.sliceOf(beat, BEAT.bytes + swarmLength, this.arena.readWord(beat, BEAT.valueLength));
  }

  /** A heartbeat exists that did not before: whoever it belongs to lives. */
  born(key: Buffer): void {
    const reading = this.#read(key);
    if (reading.kind !== 'heartbeat') return;
    const hash = this.rounds.hash(key, reading.idFrom, reading.idTo);
    this.rounds.addLiving(hash, key, reading.idFrom, reading.idTo);
    this.rounds.addPair(key.toString('latin1'), false);
    const id = this.enter(hash, key, reading.idFrom, reading.idTo);
    const known = this.findHeartbeat(id, hash, key, reading);
    if (known === NO_HEARTBEAT) this.addHeartbeat(id, hash, key, reading, State.active, null);
    else this.become(known, State.active);
  }

  // --- rounds

  /** Leaves word of this round's coordinators for the later ones, and room for theirs. Nothing may be asked of it after. */
  retire(): void {
    if (this.rounds.count > 1) for (const id of this.ids()) this.#leaveWord(id);
    this.arena.release(() => false);
    this.rounds.ids.clear();
  }

  /** What later rounds are to know of an id; the numbers of its heartbeats by state. */
  #leaveWord(id: Id): [active: number, unreadable: number, stale: number] {
    const counts: [number, number, number] = [0, 0, 0];
    const { bytes, from, to } = this.idBytes(id);
    const hash = this.rounds.hash(bytes, from, to);
    if (this.lives(id)) this.rounds.addLiving(hash, bytes, from, to);
    let beat = this.#firstOf(id);
    for (; beat !== NO_HEARTBEAT; beat = this.#nextTo(beat)) {
      const state = this.stateOf(beat);
      if (state === State.gone) continue;
      counts[state]++;
      const stale = state === State.stale;
      if (stale) this.rounds.addWaiting(hash, bytes, from, to);
      if (this.schema.heartbeatDerivable) continue;
      const owner = { coordinator: this.idText(id), swarm: textOf(this.swarmBytes(beat)) };
      this.rounds.addPair(heartbeatKeyOf(this.schema, owner) ?? '', stale);
    }
    return counts;
  }

  /**
   * Forgets the ids of other rounds, after the rounds were cut; returns how many heartbeats they had: later rounds will
   * find them again.
   */
  narrow(): { active: number; unreadable: number; stale: number } {
    const left = { active: 0, unreadable: 0, stale: 0 };
    this.holdings.keepOnlyHere();
    this.keepOnlyHere((id) => {
      const [active, unreadable, stale] = this.#leaveWord(id);
      left.active += active;
      left.unreadable += unreadable;
      left.stale += stale;
    });
    const isKept = (part: number) => this.rounds.isHere(part);
    this.#heartbeats.keepOnly((beat) => isKept(this.arena.partOf(beat)));
    this.arena.release(isKept);
    return left;
  }
}
