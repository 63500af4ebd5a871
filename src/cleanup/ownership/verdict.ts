/** verdict: what may happen to a key, given everyone who could own it (P2). */
import type { Protection } from '../../domain/protection.ts';
import { ANY_SEGMENTS, type KeyReader } from '../../schema/keyReader.ts';
import { isSwarm } from '../../schema/ids.ts';
import { isIdOf } from '../../schema/keySchema.ts';
import type { Binding } from '../../schema/matcher.ts';
import type { Slice } from '../../store/arena.ts';
import { type Beat, type Id, NO_BEAT, NO_ID } from '../../store/records.ts';
import type { Standing, Store } from '../../store/store.ts';
import type { RunContext } from '../context.ts';
import type { Spellers } from './spellers.ts';

/**
 * - `keep`: it could belong to somebody who lives, or who was dealt with before.
 * - `later`: none of its owners lives, and one of them is stale but belongs to a later partition: it goes then.
 * - `orphan`: none of its owners is known.
 * - `go`: at least one owner is stale and none lives.
 */
export type VerdictKind = 'keep' | 'later' | 'orphan' | 'go';

/** A name that names more than this many stale coordinators is kept: their proof would not fit one call. */
const MOST_IDS = 200;
/** An orphan goes only in the absence of the heartbeats of all who could own it, in any swarm; if those are more, it stays. */
const MOST_ABSENT = 1_000;

/** Of so many roles it is remembered which of their heartbeats is stale. */
const MOST_REACHED = 1_000;

/** In so many swarms somebody of an earlier partition is proved absent; beyond, docs/safety.md says what that means. */
const FEW_SWARMS = 100;

export class Verdicts {
  /** Of the last `go`, and of any that was looked at thoroughly: whose key it could be, whatever their swarm. */
  readonly ids: Id[] = [];
  /** The same: the heartbeats of those whose it could be in one swarm alone. */
  readonly beats: Beat[] = [];
  /**
   * Heartbeats that must not exist: of the last `go`, of owners whom an earlier partition dealt with; of the last `orphan`, once
   * `guard` was asked and where `isProvable`, of all who could own it.
   */
  readonly absent: Buffer[] = [];
  /** The same as byte strings. */
  readonly #forbidden = new Set<string>();
  #mostAbsent = MOST_ABSENT;
  /** Whether there are more than could ever be proved, so that none were put together. */
  #isBeyond = false;
  readonly #store: Store;
  readonly #reader: KeyReader;
  readonly #spellers: Spellers;
  readonly #isProtected: Protection | null;
  #name: Uint8Array = new Uint8Array(0);
  /** The same as a text, once anybody asks who is protected: of one text parts cost nothing, however many ways there are to read it. */
  #text: string | null = null;
  #living = false;
  #thorough = false;
  #later = false;
  #earlier = false;
  #overflow = false;
  /** Whether an id that lives is stale in another swarm. */
  #both = false;
  /** Of roles, whose heartbeats may be thousands: up to which one none is stale any more, and which was the first then. */
  readonly #reached = new Map<Id, { readonly first: Beat; readonly beat: Beat }>();

  constructor({
    store,
    reader,
    spellers,
    isProtected,
  }: Pick<RunContext, 'store' | 'reader' | 'spellers' | 'isProtected'>) {
    this.#store = store;
    this.#reader = reader;
    this.#spellers = spellers;
    this.#isProtected = isProtected;
  }

  /**
   * Judges one name; what it found is there until the next.
   * @param thorough whether all its stale owners are looked for, also when it stays since another one lives
   */
  of(name: Uint8Array, thorough = false): VerdictKind {
    this.#thorough = thorough;
    this.ids.length = 0;
    this.beats.length = 0;
    this.absent.length = 0;
    if (this.#forbidden.size > 0) this.#forbidden.clear();
    this.#mostAbsent = MOST_ABSENT;
    this.#isBeyond = false;
    this.#name = name;
    this.#text = null;
    this.#store.beginName();
    this.#living = this.#later = this.#earlier = this.#overflow = this.#both = false;
    // Nobody who is known has an id of more segments. An orphan is known to nobody: see `#guard`.
    const { outlines, swarms } = this.#store;
    const all =
      this.#isProtected === null
        ? this.#reader.owners(name, outlines.mostSegments, this.#look, outlines, swarms.others)
        : this.#reader.owners(name, ANY_SEGMENTS, this.#look, null, swarms.others);
    this.#overflow ||= !all && !this.#living;
    if (this.#living || this.#overflow) return 'keep';
    if (this.#later) return 'later';
    if (this.ids.some((id) => this.#isStale(id)) || this.beats.some((beat) => this.#store.isStale(beat))) {
      return this.isProvable ? 'go' : 'keep';
    }
    if (this.#earlier || this.ids.length > 0 || this.beats.length > 0) return 'keep';
    return 'orphan';
  }

  /**
   * Finds, of the last `orphan`, the heartbeats that must not exist. There may be a thousand: whoever only counts orphans need not ask.
   * @param most no more than these and one
   */
  guard(most = MOST_ABSENT): readonly Buffer[] {
    this.#mostAbsent = most;
    this.#reader.owners(this.#name, ANY_SEGMENTS, this.#guard);
    return this.absent;
  }

  /** Whether the last `orphan` that was guarded has so few possible owners that their absence can be proved; if not, it stays. */
  get isProvable(): boolean {
    return !this.#isBeyond && this.absent.length <= MOST_ABSENT;
  }

  /**
   * Of a `keep` that was looked at thoroughly: whether it stays only since somebody who lives could own it, or more than can be proved,
   * while a stale one of this partition could, too. Where one of an earlier partition could, it was told then.
   */
  get isShared(): boolean {
    if (this.#earlier || !(this.#living || this.#overflow)) return false;
    return (
      this.#both || this.ids.some((id) => this.#isStale(id)) || this.beats.some((beat) => this.#store.isStale(beat))
    );
  }

  #isStale(id: Id): boolean {
    const store = this.#store;
    const first = store.firstBeat(id);
    if (first === NO_BEAT || store.isStale(first)) return first !== NO_BEAT;
    if (store.nextBeat(first) === NO_BEAT) return false;
    // What is stale no more never is again, and what is added stands before the first.
    const reached = this.#reached.get(id);
    let beat = reached?.first === first ? reached.beat : first;
    while (beat !== NO_BEAT && !store.isStale(beat)) beat = store.nextBeat(beat);
    if (this.#reached.size >= MOST_REACHED) this.#reached.clear();
    this.#reached.set(id, { first, beat });
    return beat !== NO_BEAT;
  }

  /** Looks at one way to read the name; `true` once it is known to stay. */
  readonly #look = (binding: Binding): boolean => {
    const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = binding;
    const bytes = this.#name;
    const store = this.#store;
    const inSwarm = swarmFrom !== -1;
    const known: Standing = inSwarm
      ? store.standingIn({ bytes, from: idFrom, to: idTo }, { bytes, from: swarmFrom, to: swarmTo })
      : store.standingOf(bytes, idFrom, idTo);
    // Whoever beats where no swarm is can't be judged: nothing is to be known of others there.
    if (known !== 'living' && inSwarm && !isSwarm(bytes, swarmFrom, swarmTo)) return false;
    // Whoever is protected keeps all that could be theirs, whether they beat or not.
    const standing = known === 'unknown' && this.#isSpared(idFrom, idTo) ? 'living' : known;
    if (standing === 'unknown') {
      // Who is known from another swarm may be born in the one that the name tells.
      const isKnown = inSwarm && store.standingOf(bytes, idFrom, idTo) !== 'unknown';
      return isKnown && this.#guard(binding);
    }
    if (standing === 'living') {
      this.#living = true;
      if (this.#thorough && !inSwarm && !this.#reader.schema.heartbeatDerivable) {
        const known = store.idOf(bytes, idFrom, idTo);
        this.#both ||= known !== NO_ID && this.#isStale(known);
      }
    }
    // Whoever has an id of the wrong shape is never stale.
    else if (!isIdOf(this.#reader.schema, idSegments)) return false;
    else if (standing === 'later') this.#later = true;
    else if (standing === 'earlier') {
      this.#earlier = true;
      // Whose swarms are not known any more is proved absent where those are few.
      const isKnown = inSwarm || this.#reader.schema.heartbeatDerivable;
      if (isKnown || store.swarms.count <= FEW_SWARMS) this.#guard(binding);
    } else if (inSwarm) this.#note(this.beats, store.staleBeat);
    else this.#note(this.ids, store.staleId);
    return (this.#living && !this.#thorough) || this.#overflow;
  };

  #isSpared(from: number, to: number): boolean {
    if (this.#isProtected === null) return false;
    const bytes = this.#name;
    this.#text ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    return this.#isProtected(this.#text.slice(from, to));
  }

  #note<T>(list: T[], one: T): void {
    if (list.includes(one)) return;
    list.push(one);
    this.#overflow ||= list.length > MOST_IDS;
  }

  /** Notes the heartbeat that must not exist for an orphan to be nobody's, where its name can be told. */
  readonly #guard = ({ idFrom, idTo, idSegments, swarmFrom, swarmTo }: Binding): boolean => {
    const { schema } = this.#reader;
    if (!isIdOf(schema, idSegments)) return false;
    const bytes = this.#name;
    const id = { bytes, from: idFrom, to: idTo };
    if (swarmFrom !== -1 || schema.heartbeatDerivable) this.#forbid(id, { bytes, from: swarmFrom, to: swarmTo });
    else {
      const { swarms } = this.#store;
      this.#isBeyond ||= swarms.count > MOST_ABSENT;
      for (const swarm of swarms.all()) {
        this.#forbid(id, { bytes: swarm, from: 0, to: swarm.length });
        if (this.#isBeyond || this.absent.length > this.#mostAbsent) break;
      }
    }
    return this.#isBeyond || this.absent.length > this.#mostAbsent;
  };

  #forbid(id: Slice, swarm: Slice): void {
    const name = this.#spellers.heartbeat.nameOf(id, swarm);
    const text = name.toString('latin1');
    if (this.#forbidden.has(text)) return;
    this.#forbidden.add(text);
    this.absent.push(name);
  }
}
