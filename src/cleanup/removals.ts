/** removals: what a call removed of whom, put together from its batch and Redis' answer, for whoever keeps a record. */
import type { Condemned, Removal, Removed } from '../domain/removal.ts';
import { silentSeconds } from '../domain/heartbeat.ts';
import type { SweepResult } from '../redis/sweep.ts';
import type { Slice } from '../store/arena.ts';
import { type Beat, BeatState } from '../store/records.ts';
import type { Batch } from './batch.ts';
import type { RunContext } from './context.ts';

type Swept = SweepResult & { swept: true };

const copyOf = ({ bytes, from, to }: Slice): Uint8Array => Uint8Array.prototype.slice.call(bytes, from, to);

/** Somebody stale as the record names them. */
export function condemned({ store, schema, node }: RunContext, beat: Beat): Condemned {
  const beatAtSeconds = store.beatAtSecondsOf(beat);
  return {
    coordinator: copyOf(store.nameOf(store.ownerOf(beat))),
    swarm: schema.heartbeatDerivable ? null : copyOf(store.swarmOf(beat)),
    beatAtSeconds,
    silentSeconds: silentSeconds(beatAtSeconds * 1000, node.clock),
    lapsed: store.stateOf(beat) === BeatState.lapsed,
  };
}

/** What this batch removed. To be asked before its heartbeats are known as gone, and before it is let go. */
export function removedBy(run: RunContext, batch: Batch, result: Swept): Removed {
  const missing = new Set(result.missing);
  return { removals: removalsIn(run, batch, result, missing), names: () => namesIn(run, batch, missing) };
}

function removalsIn(run: RunContext, batch: Batch, { removed }: Swept, missing: ReadonlySet<number>): Removal[] {
  const { store, schema } = run;
  const counts = new Map<Beat, (number | null)[]>();
  const countsOf = (beat: Beat): (number | null)[] => {
    const known = counts.get(beat) ?? schema.families.map(() => 0);
    counts.set(beat, known);
    return known;
  };
  const going = new Set(batch.going);
  for (const beat of batch.going) {
    const stale = store.stateOf(beat) === BeatState.stale;
    if (stale) countsOf(beat)[schema.heartbeatFamily] = 1;
    else countsOf(beat);
  }
  let position = 0;
  for (const [family, beats] of batch.takenFor.entries()) {
    const count = removed[family];
    const all = count === beats.length;
    // Redis' answer may have been lost.
    const from = position;
    const absent = () => beats.filter((_, at) => missing.has(from + at)).length;
    const unknown = count === undefined || (!all && count !== 0 && count + absent() !== beats.length);
    for (const beat of beats) {
      const were = countsOf(beat);
      if (unknown) were[family] = null;
      else if (all || (batch.told[family] && !missing.has(position))) were[family] = (were[family] ?? 0) + 1;
      position++;
    }
  }
  return [...counts].map(([beat, keys]) => ({ ...condemned(run, beat), swept: going.has(beat), keys }));
}

function namesIn({ schema }: RunContext, batch: Batch, missing: ReadonlySet<number>): Uint8Array[][] {
  const bytesOf = (name: string) => Buffer.from(name, 'latin1');
  let position = 0;
  const names: Uint8Array[][] = batch.families.map((keys) =>
    keys.texts().flatMap((name) => (missing.has(position++) ? [] : [bytesOf(name)])),
  );
  const heartbeats = batch.judged.keys.texts().slice(0, batch.heartbeats);
  names[schema.heartbeatFamily]?.push(...heartbeats.map(bytesOf));
  return names;
}
