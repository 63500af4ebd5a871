/** newcomers: who beat for the first time ever while a pass was under way (P1).
 *      mark ──▶ gather ──▶ [newcomers] ──▶ sweep ──▶ report
 *
 *  A pass that has gone by the place of somebody's heartbeat when that is first written still meets what is written with it
 *  elsewhere: a key that names a stale coordinator besides would go as that one's alone. So before such keys go it is made sure that
 *  nobody was born: the server has told of all heartbeats that were written, or else another pass, over heartbeats alone, enters
 *  whoever is new. So it is for whoever takes its heartbeat away for a moment to write it anew, just as the pass goes by; that no key
 *  was touched since says nothing of those. And whoever was shown, and had no heartbeat when that was to be read, may have one again.
 *  Promises  reads only; a replica that is read has caught up by then with what its primary holds at this moment.
 *  Limits    who is born after that and writes an old name anew: docs/safety.md.
 */
import { sharedGlob } from '../../schema/glob.ts';
import { type Key, NO_KEY } from '../../store/heldKeys.ts';
import { breathe } from '../../store/breath.ts';
import { sideBySide, type Run, type RunContext, stopIfInterrupted } from '../context.ts';
import { beatingIn } from '../ownership/beating.ts';
import { walk } from './walk.ts';

/** So many are remembered, some 200 bytes each: they go within the moment between a page of names and the values of these. */
const MOST_VANISHED = 10_000;

/** Enters whoever was born since the run last looked, if any keys go that could be theirs. A dry run removes nothing. */
export async function lookForNewcomers(run: Run): Promise<void> {
  if (run.dryRun || run.store.idCount === 0) return;
  const written = (await run.target.births?.written()) ?? null;
  if (written !== null) for (const key of written) enter(run, key);
  else if (someGo(run)) await lookAgain(run);
  for (const key of run.vanished.splice(0)) enter(run, key);
}

/** Notes a heartbeat that was shown, and gone when it was to be read: it expired, or went for a moment. */
export function noteVanished({ vanished, dryRun }: Run, key: Buffer): void {
  if (!dryRun && vanished.length < MOST_VANISHED) vanished.push(Buffer.from(key));
}

async function lookAgain(run: Run): Promise<void> {
  await run.target.moves?.begin();
  await sideBySide(run, enterNewcomers);
  await enterMissed(run);
}

/** Enters those whom that walk may have missed, since their heartbeats went from one node to another meanwhile. */
async function enterMissed(run: Run): Promise<void> {
  for await (const keys of run.target.moves?.missed() ?? []) for (const key of keys) enter(run, key);
}

/** Whether any key goes that was found, or that names no swarm: who beats by the same id in a swarm that nobody has seen owns it, too. */
function someGo({ store, schema }: Run): boolean {
  if (!schema.heartbeatDerivable && schema.derived.some(({ template }) => !template.hasSwarm)) return true;
  for (const id of store.ids()) if ((store.keysOf(id) as Key) !== NO_KEY) return true;
  return false;
}

function enter({ reader, store }: Run, key: Buffer): void {
  if (reader.read(key) !== 'heartbeat') return;
  const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = reader;
  const swarm = swarmFrom === -1 ? null : { bytes: key, from: swarmFrom, to: swarmTo };
  const found = { id: { bytes: key, from: idFrom, to: idTo }, idSegments, swarm };
  for (const one of beatingIn(reader, key, found)) if (!store.has(one)) store.born(one);
}

async function enterNewcomers(run: RunContext): Promise<void> {
  for await (const page of walk(run, sharedGlob([run.schema.heartbeat]))) {
    for (const key of page) enter(run, key);
    await breathe();
  }
  stopIfInterrupted(run);
}
