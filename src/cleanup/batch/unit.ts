/** unit: one stale coordinator id as the sweep takes it: its stale heartbeats, and the keys that go with it. */
import { weightOfBytes } from '../../redis/pace/weight.ts';
import { namesSwarms } from '../../schema/keySchema.ts';
import { type Key, NO_KEY } from '../../store/heldKeys.ts';
import { type Beat, BeatState, type Id, NO_BEAT } from '../../store/records.ts';
import type { RunContext } from '../context.ts';
import { swarmsToProve } from '../ownership/elsewhere.ts';

export interface Unit {
  readonly id: Id;
  /** Its stale heartbeats, as many as go in one call. */
  readonly stale: readonly Beat[];
  /** Heartbeats that this run removed before: none of them may be there again when the id's other things go. */
  readonly gone: readonly Beat[];
  /** Not all its heartbeats fit one call: what is left of the id is another unit, once these are gone. */
  readonly partial: boolean;
  /** Things without a swarm in their name stay: the id lives in another swarm (P2), or not all its heartbeats are here. */
  readonly lives: boolean;
  /** The first of the keys that were found and may go with it; each is linked to the next. */
  readonly keys: Key;
  /** How many keys and values its removal takes, at most. */
  readonly size: number;
}

/** How many heartbeats of one id (in as many swarms), with the keys derived from them, one call may carry. */
const MOST_HEARTBEATS_WITH_KEYS = 2_000;
/** So many bytes of proof one call may carry, beyond its first heartbeat: they take Redis a fifth of a millisecond. */
const MOST_PROOF_BYTES = 128 * 1024;
/** How much work a heartbeat's proof is, in keys. */
export function weightOf({ store }: RunContext, beat: Beat): number {
  const { from, to } = store.nameOf(store.ownerOf(beat));
  return weightOfBytes(store.valueBytesOf(beat) + to - from);
}

/**
 * What can be removed for an id; `null` when none of its heartbeats is stale.
 * @param whole with all its heartbeats, however many they are
 */
export function unitOf(run: RunContext, id: Id, whole = false): Unit | null {
  const { store, keys, spellers } = run;
  if (!whole && store.withheld.has(id)) return null;
  const atOnce = Math.min(MOST_HEARTBEATS_WITH_KEYS, run.node.paces.sweep.most);
  const most = Math.ceil(atOnce / (1 + spellers.derived.length));
  const stale: Beat[] = [];
  const gone: Beat[] = [];
  let partial = false;
  let proofBytes = 0;
  let size = 0;
  for (let beat = store.firstBeat(id); beat !== NO_BEAT; beat = store.nextBeat(beat)) {
    if (store.stateOf(beat) === BeatState.gone) gone.push(beat);
    if (!store.isStale(beat)) continue;
    proofBytes += store.valueBytesOf(beat);
    if (!whole && stale.length > 0 && (stale.length >= most || proofBytes > MOST_PROOF_BYTES)) {
      partial = true;
      break;
    }
    stale.push(beat);
    size += weightOf(run, beat);
  }
  if (stale.length === 0) return null;
  const lives = partial || store.lives(id);
  const { from, to } = store.nameOf(id);
  const weight = weightOfBytes(to - from);
  for (const { speller } of spellers.derived) size += weight * (speller.hasSwarm ? stale.length : lives ? 0 : 1);
  const first = partial && !namesSwarms(run.schema) ? NO_KEY : (store.keysOf(id) as Key);
  for (let key = first; key !== NO_KEY; key = keys.nextTo(key)) size += weightOfBytes(keys.bytesOf(key));
  if (!lives) {
    size += gone.length;
    for (const _ of swarmsToProve(run, id)) size++;
  }
  return { id, stale, gone, partial, lives, keys: first, size };
}
