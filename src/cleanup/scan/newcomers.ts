/** newcomers: who beat for the first time ever while a pass was under way (P1).
 *      mark ──▶ gather ──▶ [newcomers] ──▶ sweep ──▶ report
 *
 *  A pass that has gone by the place of somebody's heartbeat when that is first written still meets what is written with it
 *  elsewhere: a key that names a stale coordinator besides would go as that one's alone. So before such keys go it is made sure that
 *  nobody was born: the server has told of all heartbeats that were written; or none of the keys has been touched since the pass
 *  began; or else another pass, over heartbeats alone, enters whoever is new.
 *  Promises  reads only; a replica that is read has caught up by then with what its primary holds at this moment.
 *  Limits    who is born after that and writes an old name anew: docs/safety.md.
 */
import { idleSeconds } from '../../redis/keyspace/keyspace.ts';
import { isUntaken } from '../../redis/rights/refusals.ts';
import { sharedGlob } from '../../schema/glob.ts';
import { type Key, NO_KEY } from '../../store/heldKeys.ts';
import { breathe, STEPS_AT_ONCE } from '../../store/breath.ts';
import { atWhole, pause, sideBySide, type Run, type RunContext, stopIfInterrupted } from '../context.ts';
import { walk } from './walk.ts';

/** A pass over a key takes Redis a third of the time that it takes to tell how long one has been idle. */
const PASS_SHARE = 1 / 3;
/** Redis tells idle times in whole seconds, by a clock that it looks at now and then. */
const CLOCK_SECONDS = 2;
/** So many are asked about at a time: they take Redis about half a millisecond. */
const ASKED_AT_ONCE = 500;

/** Enters whoever was born since the run last looked, if any of the keys that go could be theirs. A dry run removes nothing. */
export async function lookForNewcomers(run: Run): Promise<void> {
  if (run.dryRun) return;
  if (goingKeys(run).next().done) return;
  const lookedAt = performance.now();
  const written = (await run.target.births?.written()) ?? null;
  if (written === null) await lookAgain(run);
  else for (const key of written) enter(run, key);
  run.looked.at = lookedAt;
}

async function lookAgain(run: Run): Promise<void> {
  // How long something was idle at the primary no copy tells; and a pass over one costs the primary nothing.
  const few = run.target.copy === null && (await areFewer(run, run.tally.keyspace * PASS_SHARE));
  if (!few || (await someTouched(atWhole(run)))) {
    await run.target.moves?.begin();
    await sideBySide(run, enterNewcomers);
    await enterMissed(run);
  }
}

/** Whether fewer keys than so many are to go. */
async function areFewer(run: Run, than: number): Promise<boolean> {
  let count = 0;
  for (const _ of goingKeys(run)) {
    if (++count >= than) return false;
    if (count % STEPS_AT_ONCE === 0) await breathe();
  }
  return count < than;
}

/** Enters those whom that walk may have missed, since their heartbeats went from one node to another meanwhile. */
async function enterMissed(run: Run): Promise<void> {
  for await (const keys of run.target.moves?.missed() ?? []) for (const key of keys) enter(run, key);
}

function* goingKeys({ store, keys }: Run): Generator<Key> {
  for (const id of store.ids()) {
    for (let key = store.keysOf(id) as Key; key !== NO_KEY; key = keys.nextTo(key)) yield key;
  }
}

/** Whether any of the keys that go was read or written since the run last looked, or Redis can't tell. */
async function someTouched(run: RunContext): Promise<boolean> {
  const { node, keys } = run;
  let names: string[] = [];
  const ask = async (): Promise<boolean> => {
    const sinceSeconds = (performance.now() - run.looked.at) / 1000 + CLOCK_SECONDS;
    const idle = await node.steadily('read', () => idleSeconds(node.calls, names));
    names = [];
    return idle.some((seconds) => seconds === null || seconds <= sinceSeconds);
  };
  try {
    for (const key of goingKeys(run)) {
      names.push(Buffer.from(keys.nameOf(key)).toString('latin1'));
      if (names.length < ASKED_AT_ONCE) continue;
      if (await ask()) return true;
      if (!(await pause(run))) stopIfInterrupted(run);
    }
    return names.length > 0 && (await ask());
  } catch (error) {
    // Under an LFU eviction policy, for a user who may not ask, or where nobody may, nobody can tell.
    if (error instanceof Error && (/LFU maxmemory policy|^NOPERM/.test(error.message) || isUntaken(error))) return true;
    throw error;
  }
}

function enter({ reader, store }: Run, key: Buffer): void {
  if (reader.read(key) !== 'heartbeat') return;
  const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = reader;
  const swarm = swarmFrom === -1 ? null : { bytes: key, from: swarmFrom, to: swarmTo };
  const found = { id: { bytes: key, from: idFrom, to: idTo }, idSegments, swarm };
  if (!store.has(found)) store.born(found);
}

async function enterNewcomers(run: RunContext): Promise<void> {
  for await (const page of walk(run, sharedGlob([run.schema.heartbeat]))) {
    for (const key of page) enter(run, key);
    await breathe();
  }
  stopIfInterrupted(run);
}
