/** removals: what a call removed of whom, put together from its batch and Redis' answer, for whoever keeps a record or a list. */
import type { Condemned, Removal, Removed } from '../../domain/removal.ts';
import { silentSeconds } from '../../domain/heartbeat.ts';
import type { SweepResult } from '../../redis/sweep.ts';
import type { Slice } from '../../store/arena.ts';
import { type Beat, BeatState } from '../../store/records.ts';
import type { Batch } from './batch.ts';
import type { RunContext } from '../context.ts';
import { namesToGo } from '../scan/left.ts';

/** What a call removed; in a dry run what it would have. */
export type Swept = SweepResult & { swept: true };

function bytesOf({ bytes, from, to }: Slice): Uint8Array {
  return bytes.subarray(from, to);
}

/** Somebody stale as the record names them. */
class Told {
  readonly coordinator: Uint8Array;
  readonly swarm: Uint8Array | null;
  readonly beatAtSeconds: number;
  readonly silentSeconds: number;
  readonly lapsed: boolean;

  constructor({ store, schema, node }: RunContext, beat: Beat) {
    this.coordinator = bytesOf(store.nameOf(store.ownerOf(beat)));
    this.swarm = schema.heartbeatDerivable ? null : bytesOf(store.swarmOf(beat));
    this.beatAtSeconds = store.beatAtSecondsOf(beat);
    this.silentSeconds = silentSeconds(this.beatAtSeconds * 1000, node.clock);
    this.lapsed = store.stateOf(beat) === BeatState.lapsed;
  }
}

/** One who is about to go. */
export class CondemnedBeat extends Told implements Condemned {
  readonly #run: RunContext;
  readonly #beat: Beat;

  constructor(run: RunContext, beat: Beat) {
    super(run, beat);
    this.#run = run;
    this.#beat = beat;
  }

  names(): Iterable<Uint8Array> {
    return namesToGo(this.#run, this.#beat);
  }
}

class BeatRemoval extends Told implements Removal {
  readonly #namesOf: (beat: Beat) => readonly Uint8Array[];
  readonly #beat: Beat;

  constructor(
    run: RunContext,
    beat: Beat,
    readonly keys: readonly (number | null)[],
    readonly swept: boolean,
    namesOf: (beat: Beat) => readonly Uint8Array[],
  ) {
    super(run, beat);
    this.#namesOf = namesOf;
    this.#beat = beat;
  }

  names(): readonly Uint8Array[] {
    return this.#namesOf(this.#beat);
  }
}

/** What this batch removed. To be asked before its heartbeats are known as gone, and before it is let go. */
export function removedBy(run: RunContext, batch: Batch, result: Swept): Removed {
  const missing = new Set(result.missing);
  return { removals: removalsIn(run, batch, result, missing), names: () => namesByFamily(run, batch, result, missing) };
}

function removalsIn(run: RunContext, batch: Batch, result: Swept, missing: ReadonlySet<number>): Removal[] {
  const { store, schema } = run;
  const counts = new Map<Beat, (number | null)[]>();
  const countsOf = (beat: Beat): (number | null)[] => {
    const known = counts.get(beat);
    if (known !== undefined) return known;
    const none = new Array<number | null>(schema.families.length).fill(0);
    counts.set(beat, none);
    return none;
  };
  const going = new Set(batch.going);
  for (const beat of batch.going) {
    const stale = store.stateOf(beat) === BeatState.stale;
    if (stale) countsOf(beat)[schema.heartbeatFamily] = 1;
    else countsOf(beat);
  }
  let position = 0;
  for (const [family, beats] of batch.takenFor.entries()) {
    const count = result.removed[family];
    const all = count === beats.length;
    // Redis' answer may have been lost.
    const from = position;
    const absent = () => beats.filter((_, at) => missing.has(from + at)).length;
    const unknown = count === undefined || (!all && count !== 0 && count + absent() !== beats.length);
    for (const beat of beats) {
      const were = countsOf(beat);
      if (unknown) were[family] = null;
      else if (all || (count !== 0 && batch.told[family] && !missing.has(position)))
        were[family] = (were[family] ?? 0) + 1;
      position++;
    }
  }
  let names: ReadonlyMap<Beat, Uint8Array[]> | null = null;
  const namesOf = (beat: Beat): readonly Uint8Array[] => {
    names ??= namesByBeat(run, batch, result, missing);
    return names.get(beat) ?? [];
  };
  const removals: Removal[] = [];
  for (const [beat, keys] of counts) removals.push(new BeatRemoval(run, beat, keys, going.has(beat), namesOf));
  return removals;
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
