/** elsewhere: the heartbeats an id could have in other swarms, which must not exist when what names no swarm goes (P1).
 *
 * Where heartbeats name a swarm, an id may be born in another one after the scan has passed. An id that is stale in several (a
 * role: `leader`) is proved absent in every other swarm the run saw; so is any other one as long as that is affordable, else in
 * every swarm in which somebody lives. docs/safety.md says what is beyond.
 */
import { textOf } from '../../domain/nameText.ts';
import { KeyReader } from '../../schema/keyReader.ts';
import { type Id, NO_BEAT } from '../../store/records.ts';
import type { RunContext } from '../context.ts';
import { beatingIn } from './beating.ts';

/** More swarms than this are not proved for one id by script, since a call proves 10,000 heartbeats at most, others' among them. */
const MOST_SWARMS = 4_000;
/** Of what a transaction may watch, so much is for the swarms of one id. */
const WATCHED_SHARE = 1 / 4;

/** With more stale coordinators than this only roles are proved elsewhere. */
const MOST_STALE = 10_000;
/** So many names more take Redis about 0.2 s in all. */
const MOST_NAMES = 250_000;

/** The swarms in which an id of this run is to be absent, those among them in which it has a record. */
export function swarmsToProve({ schema, store, tally, node }: RunContext, id: Id): Iterable<Buffer> {
  if (schema.heartbeatDerivable) return [];
  const { swarms } = store;
  const most = node.strategy !== 'transaction' ? MOST_SWARMS : node.mostKeys * WATCHED_SHARE;
  const first = store.firstBeat(id);
  const isRole = first !== NO_BEAT && store.nextBeat(first) !== NO_BEAT;
  const isAffordable = (count: number) => count <= most && (isRole || tally.stale * count <= MOST_NAMES);
  if (!isRole && tally.stale > MOST_STALE) return [];
  if (isAffordable(swarms.count)) return swarms.all();
  return isAffordable(swarms.livingCount) ? swarms.living() : [];
}

/**
 * Tells the store of a heartbeat that had to be absent, and is not. Of one with a name of stalesweep's own, too, which no scan takes for
 * anybody's: whoever would not learn of it would try the same again for ever.
 */
export function learnBorn({ schema, store }: RunContext, key: Buffer): void {
  const reader = new KeyReader(schema);
  if (!reader.readHeartbeat(key)) throw new Error(`no heartbeat has the name ${textOf(key)} that was to be absent`);
  const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = reader;
  const swarm = swarmFrom === -1 ? null : { bytes: key, from: swarmFrom, to: swarmTo };
  const found = { id: { bytes: key, from: idFrom, to: idTo }, idSegments, swarm };
  for (const one of beatingIn(reader, key, found)) store.born(one);
}
