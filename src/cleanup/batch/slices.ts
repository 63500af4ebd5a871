/** slices: one unit that is larger than a call, cut into batches that are not. */
import { NO_KEY } from '../../store/heldKeys.ts';
import { type Batch, Draft, release } from './batch.ts';
import type { RunContext } from '../context.ts';
import type { Unit } from './unit.ts';

/** So many keys of ordinary names go with any proof, however large; or as many as a call may handle. */
const LEAST_KEYS = 100;
/** As long as all their proofs are no more than so many times what the first of them needs: each could bring hundreds of its own. */
const MOST_TIMES_PROVED = 2;

/**
 * A unit that alone is larger than a call: slices of its keys first, each with its proof, its heartbeats with the last (P3).
 * @param size what a slice is to come to, as it is now
 * @param mostProof how many heartbeats a slice may prove; one key that needs more has a slice of its own
 * @param withHeartbeats whether the heartbeats go at all
 */
export function* slicesOf(
  run: RunContext,
  unit: Unit,
  size: () => number,
  mostProof: number,
  withHeartbeats: boolean,
): Generator<Batch> {
  const { keys } = run;
  const begin = (): Draft => {
    const draft = new Draft(run);
    draft.proveUnit(unit);
    return draft;
  };
  let draft = begin();
  let first = unit.keys;
  for (let key = first; key !== NO_KEY; key = keys.nextTo(key)) {
    draft.takeKey(unit, key);
    if (draft.proofCount > mostProof && draft.keyCount > 1) {
      // What a key needs is known once it was taken: the slice is put together again without it, and the next begins with it.
      release(draft.done());
      draft = begin();
      for (let one = first; one !== key; one = keys.nextTo(one)) draft.takeKey(unit, one);
      yield draft.done();
      draft = begin();
      draft.takeKey(unit, key);
      first = key;
    }
    // A proof as large as a call still takes some keys with it, unless they bring as much again.
    const isFew =
      draft.keyWeight < Math.min(LEAST_KEYS, size()) && draft.proofCount <= MOST_TIMES_PROVED * draft.leastProofs;
    if (isFew || draft.size < size()) continue;
    yield draft.done();
    draft = begin();
    first = keys.nextTo(key);
  }
  if (withHeartbeats) {
    draft.takeDerived(unit);
    draft.takeHeartbeats(unit);
  }
  if (withHeartbeats || draft.keyCount > 0) yield draft.done();
}
