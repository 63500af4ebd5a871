/** batches: who goes next, and who with whom; told before anything of theirs goes to whoever keeps a record.
 *  Owns      the order in which stale coordinators are swept.
 *  Leaves    what a batch holds to batch, its removal to sweep.
 */
import { type Key, NO_KEY } from '../../store/heldKeys.ts';
import { type Beat, type Id, NO_BEAT } from '../../store/records.ts';
import { pause, type RunContext } from '../context.ts';
import { condemnedOf } from './told.ts';
import { unitOf } from './unit.ts';

/** So many are named at a time: enough to be packed well, few enough to be swept within a second or so. */
const CONDEMNED_AT_ONCE = 2_000;

/** How many names it has, about: its heartbeat's, those that follow from it, those of keys that are held. */
function namesIn({ store, keys, spellers }: RunContext, id: Id): number {
  let count = 1 + spellers.derived.length;
  for (let key = store.keysOf(id) as Key; key !== NO_KEY; key = keys.nextTo(key)) count++;
  return count;
}

/** The ids of the store in their order, each only after it was told that it is to go. */
async function* condemnedIds(run: RunContext): AsyncGenerator<Iterable<Id>> {
  const { store, observer } = run;
  const { condemn, namesAtOnce } = observer;
  const order = store.idsInNameOrder();
  if (condemn === undefined || run.dryRun) {
    yield* order;
    return;
  }
  let group: Iterator<Id> = [][Symbol.iterator]();
  // The next ones are told while these are swept.
  const tellSome = async (): Promise<readonly Id[]> => {
    const ids: Id[] = [];
    const next: Beat[] = [];
    let names = 0;
    while (next.length < CONDEMNED_AT_ONCE && names < (namesAtOnce ?? 1)) {
      const one = group.next();
      if (one.done) {
        const more = await order.next();
        if (more.done) break;
        group = more.value[Symbol.iterator]();
        continue;
      }
      ids.push(one.value);
      for (let beat = store.firstBeat(one.value); beat !== NO_BEAT; beat = store.nextBeat(beat)) {
        if (store.isStale(beat) && store.condemn(beat)) next.push(beat);
      }
      if (namesAtOnce !== undefined) names += namesIn(run, one.value);
    }
    if (next.length > 0) await condemn(condemnedOf(run, next));
    return ids;
  };
  for (let told = tellSome(); ; ) {
    const ids = await told;
    // Whoever was told to end did not wait until they were noted.
    if (ids.length === 0 || run.signal.aborted) return;
    told = tellSome();
    // Whoever awaits it will see why it failed.
    told.catch(() => {});
    yield ids;
  }
}

/**
 * As many ids as one call takes, one after the other.
 * @param keysOnly only ids of which keys are held, with the proof of all their heartbeats
 */
export async function* batches(run: RunContext, keysOnly: boolean) {
  let ids: Id[] = [];
  let size = 0;
  for await (const next of condemnedIds(run)) {
    for (const id of next) {
      if (keysOnly && run.store.keysOf(id) === NO_KEY) continue;
      const unit = unitOf(run, id, keysOnly);
      if (unit === null) continue;
      if (ids.length > 0 && size + unit.size > run.node.paces.sweep.size) {
        yield ids;
        if (!(await pause(run))) return;
        ids = [];
        size = 0;
      }
      ids.push(id);
      size += unit.size;
    }
  }
  if (ids.length > 0) yield ids;
}
