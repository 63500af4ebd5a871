/** left: the names of all that somebody stale could have left, as far as the run knows them. */
import { Bulk } from '../../redis/call/bulk.ts';
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
  const { store, keys, reader, schema, spellers } = run;
  const id = store.ownerOf(beat);
  const swarm = schema.heartbeatDerivable ? NO_SWARM : store.swarmOf(beat);
  const verdicts = new Verdicts(run);
  for (const { speller, mayBeOwn } of spellers.derived) {
    if (!speller.hasSwarm && store.lives(id)) continue;
    const name = speller.nameOf(store.nameOf(id), swarm);
    if (mayBeOwn && reader.isOwn(name)) continue;
    if (!store.outlines.misshapen || verdicts.of(name) === 'go') yield name;
  }
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

/** The same with its heartbeat, if that is there. */
export function* namesToGo(run: Run, beat: Beat): Generator<Uint8Array> {
  const { store, schema, spellers } = run;
  if (store.stateOf(beat) === BeatState.stale) {
    const swarm = schema.heartbeatDerivable ? NO_SWARM : store.swarmOf(beat);
    yield spellers.heartbeat.nameOf(store.nameOf(store.ownerOf(beat)), swarm);
  }
  yield* remainsOf(run, beat);
}
