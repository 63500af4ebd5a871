/** gather: which of the keys that only a scan can find may go, and which are nobody's.
 *      mark ──▶ [gather] ──▶ sweep ──▶ report
 *  Owns      telling each held key's fate, and with whom it goes.
 *  Leaves    finding them to mark, the removal to sweep.
 *  Promises  reads nothing but what mark held, and writes nothing.
 */
import { sharedGlob } from '../schema/glob.ts';
import { breathe, STEPS_AT_ONCE } from '../store/breath.ts';
import { Distinct } from '../store/distinct.ts';
import { type Key, NO_KEY } from '../store/heldKeys.ts';
import { comesBefore } from '../store/nameOrder.ts';
import { type Beat, Left, NO_ID } from '../store/records.ts';
import { atNodes, type Run } from './context.ts';
import { type VerdictKind, Verdicts } from './ownership/verdict.ts';
import { hasRoom } from './scan/room.ts';
import { walk } from './scan/walk.ts';

/** To find in how many ways a longer one can be read may take a fifth of a second. */
const LONG_NAME_BYTES = 1_024;

export interface Gathered {
  /** The first key of those families whose orphans are swept that none of the known could own; each is linked to the next. */
  readonly orphans: Key;
}

/** Links each held key to the first stale coordinator it could belong to, and counts those that are nobody's. */
export async function gather(run: Run): Promise<Gathered> {
  const { schema, store, keys, tally } = run;
  if (schema.scanned.length === 0) return { orphans: NO_KEY };
  const verdicts = new Verdicts(run);
  store.changes = 0;
  let orphans = NO_KEY;
  // Whoever is linked is told apart when it goes, who is only counted is here.
  const counted = new Distinct();
  // Each of them may have left many.
  const orphaned = new Distinct(Number.POSITIVE_INFINITY);
  let steps = 0;
  for (const key of keys.all()) {
    if (++steps % STEPS_AT_ONCE === 0 || keys.bytesOf(key) > LONG_NAME_BYTES) await breathe();
    const name = keys.nameOf(key);
    const verdict = verdicts.of(name, store.idCount > 0);
    noteOwners(run, verdicts, verdict);
    if (verdict === 'keep' && verdicts.isShared) run.kept.add(name);
    if (verdict === 'go') {
      const [one = NO_ID, other = NO_ID, ...more] = verdicts.ids;
      // With whoever is swept first: its proof of the other one then holds, whose own call comes later.
      const otherFirst = other !== NO_ID && comesBefore(store.nameOf(other), store.nameOf(one));
      const owner = one === NO_ID ? store.ownerOf(verdicts.beats[0] as Beat) : otherFirst ? other : one;
      const simple = more.length === 0 && verdicts.beats.length === 0 && verdicts.absent.length === 0;
      if (simple) keys.tellOwners(key, otherFirst ? one : other);
      keys.link(key, store.keysOf(owner) as Key);
      store.setKeys(owner, key);
    } else if (verdict === 'orphan') {
      if (!counted.add(name)) continue;
      if (!schema.orphanFamilies.has(familyOf(run, key))) continue;
      keys.link(key, orphans);
      orphans = key;
      // Whose they were, as far as the name tells; a name that tells of several counts for one.
      orphaned.add(verdicts.guard(0)[0] ?? name);
    }
  }
  tally.orphans = (tally.orphans ?? 0) + counted.count;
  tally.orphaned += orphaned.count;
  return { orphans };
}

/** Notes that each stale one it could belong to has left something, though it goes with only one of them, or stays. */
function noteOwners({ store }: Run, { ids, beats }: Verdicts, verdict: VerdictKind): void {
  const notes = verdict === 'go' ? [Left.going] : verdict === 'keep' ? [Left.shared] : [Left.going, Left.shared];
  for (const what of notes) {
    for (const id of ids) store.noteLeft(id, what);
    for (const beat of beats) store.noteLeftInSwarm(beat, what);
  }
}

/** The family of a held key, by position. */
export function familyOf({ schema, keys }: Run, key: Key): number {
  return schema.scanned[keys.templateOf(key)]?.family ?? -1;
}

/**
 * Walks the keyspace for the keys that a first pass could not hold, now that it is known exactly who lives. Whenever they
 * fill the memory budget, they are handed to `sweepKeys` and let go.
 */
export async function walkKeys(run: Run, sweepKeys: () => Promise<void>): Promise<void> {
  const { schema, store, keys, reader, tally, observer } = run;
  const verdicts = new Verdicts(run);
  const glob = sharedGlob(schema.scanned.map(({ template }) => template));
  tally.visited = 0;
  keys.arePart = true;
  const take = (key: Buffer): void => {
    if (reader.read(key) !== 'remain') return;
    const { template } = reader;
    const verdict = verdicts.of(key, store.idCount > 0);
    noteOwners(run, verdicts, verdict);
    if (verdict === 'keep' && verdicts.isShared) run.kept.add(key);
    // Who is an orphan is told once, in the first partition.
    if (verdict === 'go' || (verdict === 'orphan' && store.partitions.current === 0)) keys.hold(template, key);
  };
  const takeAll = async (page: readonly Buffer[]): Promise<void> => {
    for (const key of page) {
      take(key);
      if (key.length > LONG_NAME_BYTES) await breathe();
    }
    observer.progress?.('gather', tally);
    if (!hasRoom(run) && keys.count > 0) await sweepKeys();
  };
  await run.target.moves?.begin();
  for (const here of atNodes(run)) for await (const page of walk(here, glob)) await takeAll(page);
  for await (const page of run.target.moves?.missed() ?? []) await takeAll(page);
  tally.visited = tally.keyspace;
}
