/** verdict: what a run would do now with a key or a coordinator, and the sentence that says why. The run's own verdict decides. */
import type { RunContext } from '../cleanup/context.ts';
import { leftNothing } from '../cleanup/scan/lapsed.ts';
import { Verdicts } from '../cleanup/ownership/verdict.ts';
import { walk } from '../cleanup/scan/walk.ts';
import { sentenceOf } from '../domain/failure.ts';
import { idleSeconds } from '../redis/keyspace/keyspace.ts';
import { globOf } from '../schema/glob.ts';
import { NO_BEAT } from '../store/records.ts';
import type { Owner, Verdict } from './entry.ts';
import { durationOf, howIs, whoIs } from './words.ts';

export interface Told {
  readonly verdict: Verdict;
  readonly why: string;
}

/** What must be so of all coordinators together, which only a run counts, so that it removes anybody. */
function ifAll({ target, hold }: RunContext): string {
  const { maxStale, maxStaleFraction } = target.settings;
  const { leastActive } = hold;
  const conditions = [
    ...(maxStale === undefined ? [] : [`no more than ${maxStale} look stale (maxStale)`]),
    ...(maxStaleFraction < 1 ? [`no more than ${maxStaleFraction} of all look stale (maxStaleFraction)`] : []),
    ...(leastActive === null ? [] : [`at least ${leastActive} coordinators beat (suddenSilence)`]),
  ];
  return conditions.length === 0 ? '' : `; provided that then ${conditions.join(', and ')}`;
}

/** What a run that removes nothing anyway would say, and what holds only where no guard stops it. */
function guarded(run: RunContext, told: Told): Told {
  const { settings } = run.target;
  if (told.verdict !== 'goes') return told;
  if (settings.mode !== 'observe') return { ...told, why: `${told.why}${ifAll(run)}` };
  return { verdict: 'stays', why: `this target is only observed (mode: observe); otherwise it would go: ${told.why}` };
}

/** Those to be named in a sentence. */
function first(owners: readonly Owner[], most = 3): string {
  const named = owners.slice(0, most).map((owner) => `${whoIs(owner)} ${howIs(owner)}`);
  const more = owners.length - named.length;
  return named.join(', ') + (more > 0 ? `, and ${more} more` : '');
}

/** Of a heartbeat: what becomes of whoever it is of. */
export function ofHeartbeat(run: RunContext, owner: Owner | undefined): Told {
  if (owner === undefined) return { verdict: 'stays', why: 'there is no such heartbeat now' };
  const why = `${whoIs(owner)} ${howIs(owner)}`;
  if (owner.lives) return { verdict: 'stays', why };
  if (owner.state === 'none') return { verdict: 'stays', why: 'there is no such heartbeat now' };
  return guarded(run, { verdict: 'goes', why: `${why}; the heartbeat goes last` });
}

/** Of any other key that the schema names. */
export async function ofRemain(
  run: RunContext,
  name: Buffer,
  owners: readonly Owner[],
  family: { readonly name: string; readonly position: number; readonly isScanned: boolean },
): Promise<Told> {
  const kind = new Verdicts(run).of(name);
  if (kind === 'go') {
    const stale = first(owners.filter(({ state, lives }) => !lives && state !== 'none'));
    return guarded(run, { verdict: 'goes', why: `${stale}, and nobody who could own it lives` });
  }
  if (kind === 'orphan') return await ofOrphan(run, name, owners, family);
  const living = owners.filter(({ lives }) => lives);
  if (living.length > 0) return { verdict: 'stays', why: `it could be theirs: ${first(living)}` };
  return { verdict: 'stays', why: 'so many could own it that no run can prove at once that none of them lives' };
}

async function ofOrphan(
  run: RunContext,
  name: Buffer,
  owners: readonly Owner[],
  family: { readonly name: string; readonly position: number; readonly isScanned: boolean },
): Promise<Told> {
  const { schema, node, staleAfterSeconds } = run;
  const whose = owners.length === 1 && owners[0] !== undefined ? `${whoIs(owners[0])} has no heartbeat` : undefined;
  const nobody = `it is nobody's: ${whose ?? 'nobody who could own it has a heartbeat'}`;
  const stays = (why: string): Told => ({ verdict: 'orphan', why: `${nobody}${why}` });
  if (!family.isScanned) return stays(`; keys of family ${family.name} go only together with a coordinator`);
  if (!schema.orphanFamilies.has(family.position)) {
    return stays(`; it goes only where "orphans" lists the family ${family.name}`);
  }
  const threshold = durationOf(staleAfterSeconds);
  const { upSeconds } = node.clock;
  if (upSeconds !== null && upSeconds <= staleAfterSeconds) {
    return stays('; orphans are kept since Redis came back with old data, and its idle times may be as old');
  }
  const idle = await idleOf(run, name);
  if (idle === null) return stays('; orphans are kept, since Redis does not tell for how long it has been idle');
  if (idle <= staleAfterSeconds) return stays(`; it goes once nobody has touched it for ${threshold}`);
  const verdicts = new Verdicts(run);
  verdicts.of(name);
  verdicts.guard();
  if (!verdicts.isProvable) return stays('; so many could own it that their absence can not be proved');
  if (!(await anybodyBeats(run))) return stays('; orphans are kept where a run meets no heartbeat at all');
  return guarded(run, { verdict: 'goes', why: `${nobody}, and nobody has touched it for ${durationOf(idle)}` });
}

/** `null` where Redis does not say. */
async function idleOf({ node }: RunContext, name: Buffer): Promise<number | null> {
  try {
    const [idle = null] = await node.steadily('read', () => idleSeconds(node.calls, [name.toString('latin1')]));
    return idle;
  } catch (error) {
    if (/LFU maxmemory policy/.test(sentenceOf(error))) return null;
    throw error;
  }
}

/** Whether there is any heartbeat; ends with the first. */
async function anybodyBeats(run: RunContext): Promise<boolean> {
  for await (const page of walk(run, globOf(run.schema.heartbeat))) {
    if (page.some((key) => run.reader.read(key) === 'heartbeat')) return true;
  }
  return false;
}

/** Of a coordinator: what becomes of everything it has, in whichever swarm. */
export async function ofCoordinator(run: RunContext, owners: readonly Owner[], hasRemains: boolean): Promise<Told> {
  const known = owners.filter(({ state }) => state !== 'none');
  if (known.length === 0) {
    return hasRemains
      ? { verdict: 'orphan', why: 'it has no heartbeat, and what it left stays until it beats and falls silent again' }
      : {
          verdict: 'foreign',
          why: `nobody beats under this id, and nothing that follows from it is there${unseen(run)}`,
        };
  }
  const stale = known.filter(({ lives }) => !lives);
  const living = known.filter(({ lives }) => lives);
  if (stale.length === 0) return { verdict: 'stays', why: first(living) };
  if (stale.every(({ heartbeat }) => heartbeat === null) && (await leftNothingAnywhere(run, stale))) {
    return { verdict: 'stays', why: `${first(stale)}; it left nothing that follows from its id` };
  }
  const others = living.length === 0 ? '' : `; ${first(living)}, so what names no swarm stays`;
  return guarded(run, { verdict: 'goes', why: `${first(stale)}${others}` });
}

/** What no look at single keys finds. */
function unseen({ schema }: RunContext): string {
  const scanned = new Set(schema.scanned.map(({ family }) => schema.families[family] ?? ''));
  if (scanned.size === 0) return '';
  return `; keys of ${[...scanned].join(', ')} are found by scanning alone: ask for one by its name`;
}

async function leftNothingAnywhere(run: RunContext, owners: readonly Owner[]): Promise<boolean> {
  const { store } = run;
  for (const { coordinator, swarm } of owners) {
    const id = { bytes: coordinator, from: 0, to: coordinator.length };
    store.beginName();
    const beat = store.beatOf(id, swarm && { bytes: swarm, from: 0, to: swarm.length });
    if (beat !== NO_BEAT && !(await leftNothing(run, beat))) return false;
  }
  return true;
}
