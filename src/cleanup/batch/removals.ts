/** removals: what a call removed of whom, put together from its batch and Redis' answer, for whoever keeps a record or a list. */
import type { NamedRemoval, Removal, Removed } from '../../domain/removal.ts';
import type { SweepResult } from '../../redis/sweep.ts';
import { type Beat, BeatState } from '../../store/records.ts';
import type { Batch } from './batch.ts';
import type { RunContext } from '../context.ts';
import { Told } from './told.ts';

/** What a call removed; in a dry run what it would have. */
export type Swept = SweepResult & { swept: true };

/** Where Redis did not tell how many of whose went. */
const UNTOLD = -1;
/** Of so many kinds of counts in one call it is remembered that they were told. */
const MOST_KINDS = 16;

/** How many things went of whom: a row for each heartbeat, with a place for each family. */
class Counts {
  readonly beats: Beat[] = [];
  readonly #counts: number[] = [];
  /** The row asked for last: keys stand in the order of those with whom they go. */
  #at = 0;
  /** Rows by heartbeat; `null` as long as it was not needed. */
  #rows: Map<Beat, number> | null = null;
  /** Of the rows that were told, each kind once: mostly there are a few. */
  #told: { readonly from: number; readonly counts: readonly (number | null)[] }[] = [];

  constructor(private readonly families: number) {}

  /** Adds the row of a heartbeat that has none. */
  add(beat: Beat): number {
    const row = this.beats.push(beat) - 1;
    this.#rows?.set(beat, row);
    for (let family = 0; family < this.families; family++) this.#counts.push(0);
    return row;
  }

  /** One more of this family went with this heartbeat. */
  count(beat: Beat, family: number): void {
    const at = this.#placeOf(beat, family);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  setUntold(beat: Beat, family: number): void {
    this.#counts[this.#placeOf(beat, family)] = UNTOLD;
  }

  #placeOf(beat: Beat, family: number): number {
    const { beats } = this;
    if (beats[this.#at] !== beat) {
      if (beats[this.#at + 1] === beat) this.#at++;
      else if (beats[0] === beat) this.#at = 0;
      else this.#at = this.#find(beat) ?? this.add(beat);
    }
    return this.#at * this.families + family;
  }

  #find(beat: Beat): number | undefined {
    this.#rows ??= new Map(this.beats.map((one, row) => [one, row]));
    return this.#rows.get(beat);
  }

  /** The counts of a row; those of several rows that are alike are mostly the same array. */
  told(row: number): readonly (number | null)[] {
    const from = row * this.families;
    const known = this.#told.find((one) => this.#isAlike(from, one.from));
    if (known !== undefined) return known.counts;
    const counts = this.#counts.slice(from, from + this.families).map((count) => (count === UNTOLD ? null : count));
    if (this.#told.length === MOST_KINDS) this.#told.length = 0;
    this.#told.push({ from, counts });
    return counts;
  }

  #isAlike(one: number, other: number): boolean {
    for (let family = 0; family < this.families; family++) {
      if (this.#counts[one + family] !== this.#counts[other + family]) return false;
    }
    return true;
  }
}

class BeatRemoval extends Told implements NamedRemoval {
  keys: readonly (number | null)[] = [];
  swept = false;
  /** Of any family. */
  readonly #nothing: readonly number[];

  constructor(
    run: RunContext,
    private readonly namesOf: (beat: Beat) => readonly Uint8Array[],
  ) {
    super(run);
    this.#nothing = new Array<number>(run.schema.families.length).fill(0);
  }

  /** @param going those of whom this was the last are the first so many; the others' share of it is known as gone */
  *each(counts: Counts, going: number): Generator<NamedRemoval> {
    const { gone } = this.run.store;
    for (const [row, beat] of counts.beats.entries()) {
      this.turnTo(beat);
      this.swept = row < going;
      this.keys = gone.with(beat, this.swept ? counts.told(row) : this.#nothing);
      yield this;
    }
  }

  /** Those of whom only parts went, as far as this run removed them. */
  *left(): Generator<Removal> {
    const { store } = this.run;
    for (const id of store.ids()) {
      for (const beat of store.beatsOf(id)) {
        if (!store.gone.has(beat)) continue;
        this.turnTo(beat);
        this.keys = store.gone.with(beat, this.#nothing);
        yield this;
      }
    }
  }

  names(): readonly Uint8Array[] {
    return this.namesOf(this.beat);
  }
}

/**
 * What this batch removed; of those of whom it was not the last, it is added to what is known as gone. To be asked once, before its
 * heartbeats are known as gone, and before it is let go.
 */
export function removedBy(run: RunContext, batch: Batch, result: Swept): Removed {
  const missing = new Set(result.missing);
  return { removals: removalsIn(run, batch, result, missing), names: () => namesByFamily(run, batch, result, missing) };
}

/** Those of them of whom the last went, each as an object of its own, which holds for good. */
export function sweptIn({ removals }: Removed): Removal[] {
  const kept: Removal[] = [];
  for (const { coordinator, swarm, beatAtSeconds, silentSeconds, lapsed, keys, swept } of removals) {
    if (!swept) continue;
    const who = { coordinator: new Uint8Array(coordinator), swarm: swarm === null ? null : new Uint8Array(swarm) };
    kept.push({ ...who, beatAtSeconds, silentSeconds, lapsed, keys, swept });
  }
  return kept;
}

/** Tells of those of whom only parts went, of the records that there are now. */
export function tellLeft(run: RunContext): void {
  if (run.store.gone.bytes > 0) run.observer.left?.(new BeatRemoval(run, () => []).left());
}

function removalsIn(run: RunContext, batch: Batch, result: Swept, missing: ReadonlySet<number>): Removed['removals'] {
  const counts = countsIn(run, batch, result, missing);
  const { going } = batch;
  for (let row = going.length; row < counts.beats.length; row++) {
    run.store.gone.add(counts.beats[row] as Beat, counts.told(row));
  }
  let names: ReadonlyMap<Beat, Uint8Array[]> | null = null;
  const namesOf = (beat: Beat): readonly Uint8Array[] => {
    names ??= namesByBeat(run, batch, result, missing);
    return names.get(beat) ?? [];
  };
  return { [Symbol.iterator]: () => new BeatRemoval(run, namesOf).each(counts, going.length) };
}

/** Those that go come first, in their order. */
function countsIn({ store, schema }: RunContext, batch: Batch, result: Swept, missing: ReadonlySet<number>): Counts {
  const counts = new Counts(schema.families.length);
  for (const beat of batch.going) {
    counts.add(beat);
    if (store.stateOf(beat) === BeatState.stale) counts.count(beat, schema.heartbeatFamily);
  }
  let position = 0;
  for (const [family, beats] of batch.takenFor.entries()) {
    const from = position;
    position += beats.length;
    const count = result.removed[family];
    if (count === beats.length) {
      for (const beat of beats) counts.count(beat, family);
      continue;
    }
    const absent = () => beats.filter((_, at) => missing.has(from + at)).length;
    // Redis' answer may have been lost.
    if (count === undefined || (count !== 0 && count + absent() !== beats.length)) {
      for (const beat of beats) counts.setUntold(beat, family);
    } else if (count !== 0 && batch.told[family]) {
      for (const [at, beat] of beats.entries()) if (!missing.has(from + at)) counts.count(beat, family);
    }
  }
  return counts;
}

interface Gone {
  readonly family: number;
  readonly beat: Beat;
  readonly name: Uint8Array;
}

/** Everything that went, as far as Redis tells. */
function* gone(
  { schema }: RunContext,
  batch: Batch,
  { removed }: Swept,
  missing: ReadonlySet<number>,
): Generator<Gone> {
  let position = 0;
  for (const [family, keys] of batch.families.entries()) {
    for (const [at, name] of keys.texts().entries()) {
      const isThere = removed[family] !== 0 && !missing.has(position);
      position++;
      if (isThere) yield { family, beat: batch.takenFor[family]?.[at] as Beat, name: Buffer.from(name, 'latin1') };
    }
  }
  for (const [at, name] of batch.judged.keys.texts().slice(0, batch.heartbeats).entries()) {
    yield { family: schema.heartbeatFamily, beat: batch.judgedBeats[at] as Beat, name: Buffer.from(name, 'latin1') };
  }
}

function namesByFamily(run: RunContext, batch: Batch, result: Swept, missing: ReadonlySet<number>): Uint8Array[][] {
  const names: Uint8Array[][] = batch.families.map(() => []);
  for (const { family, name } of gone(run, batch, result, missing)) names[family]?.push(name);
  return names;
}

function namesByBeat(run: RunContext, batch: Batch, result: Swept, missing: ReadonlySet<number>) {
  const names = new Map<Beat, Uint8Array[]>();
  for (const { beat, name } of gone(run, batch, result, missing)) {
    const known = names.get(beat);
    if (known === undefined) names.set(beat, [name]);
    else known.push(name);
  }
  return names;
}
