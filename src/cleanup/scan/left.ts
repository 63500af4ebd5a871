/** left: the names of all that somebody stale could have left, as far as the run knows them. */
import { Bulk } from '../../redis/call/bulk.ts';
import { namesSwarms } from '../../schema/keySchema.ts';
import { type Key, NO_KEY } from '../../store/heldKeys.ts';
import { type Beat, BeatState } from '../../store/records.ts';
import type { Run } from '../context.ts';
import { NO_SWARM } from '../ownership/spellers.ts';
import { Verdicts } from '../ownership/verdict.ts';

/**
 * Everything that could be left of one in its swarm and may go; each name holds until the next one is asked for. What several who
 * go share is named for one of them.
 */
function* remainsOf(run: Run, beat: Beat): Generator<Uint8Array> {
  const verdicts = new Verdicts(run);
  yield* derivedOf(run, beat, verdicts);
  yield* foundOf(run, beat, verdicts);
}

function* derivedOf(run: Run, beat: Beat, verdicts: Verdicts): Generator<Uint8Array> {
  const { store, reader, schema, spellers } = run;
  const id = store.ownerOf(beat);
  const swarm = schema.heartbeatDerivable ? NO_SWARM : store.swarmOf(beat);
  for (const { speller, mayBeOwn } of spellers.derived) {
    if (!speller.hasSwarm && store.lives(id)) continue;
    const name = speller.nameOf(store.nameOf(id), swarm);
    if (mayBeOwn && reader.isOwn(name)) continue;
    if (!store.outlines.misshapen || verdicts.of(name) === 'go') yield name;
  }
}

function* foundOf({ store, keys }: Run, beat: Beat, verdicts: Verdicts): Generator<Uint8Array> {
  const id = store.ownerOf(beat);
  for (let key = store.keysOf(id) as Key; key !== NO_KEY; key = keys.nextTo(key)) {
    const name = keys.nameOf(key);
    if (verdicts.of(name) === 'go' && (verdicts.ids.includes(id) || verdicts.beats.includes(beat))) yield name;
  }
}

/** The same, in the form in which names travel; whoever asked lets go of it. */
export function namesOf(run: Run, beat: Beat): Bulk {
  const names = new Bulk();
  for (const name of remainsOf(run, beat)) names.add(name);
  return names;
}

/** The same with its heartbeat, if that is there. Of a role, what names no swarm is named with the first of those that go. */
export function* namesToGo(run: Run, beat: Beat): Generator<Uint8Array> {
  const { store, schema, spellers } = run;
  const verdicts = new Verdicts(run);
  if (store.stateOf(beat) === BeatState.stale) {
    const swarm = schema.heartbeatDerivable ? NO_SWARM : store.swarmOf(beat);
    yield spellers.heartbeat.nameOf(store.nameOf(store.ownerOf(beat)), swarm);
  }
  yield* derivedOf(run, beat, verdicts);
  if (namesSwarms(schema) || isFirst(run, beat)) yield* foundOf(run, beat, verdicts);
}

/** Whether none of its id that comes before it is to go. */
function isFirst({ store }: Run, beat: Beat): boolean {
  for (const one of store.beatsOf(store.ownerOf(beat))) if (store.isStale(one)) return one === beat;
  return false;
}
