/** explain: whose a key is, or who a coordinator is, and what a run would do with it now.
 *
 *      name ──▶ every way to read it ──▶ their heartbeats, judged ──▶ the run's verdict ──▶ what the ledger has of them
 *
 *  Owns      what a name can be.
 *  Leaves    judging and verdicts to cleanup, so that they are a run's.
 *  Promises  writes nothing. Without a scan where heartbeats' names follow from what was asked about; else one pass for all ids that
 *            several names hold, and one for the ids of a single name.
 */
import { atWhole, type RunContext } from '../cleanup/context.ts';
import { beginRun } from '../cleanup/run.ts';
import { OWN_PREFIXES } from '../domain/ownKeys.ts';
import type { Sightings } from '../domain/sighting.ts';
import type { Past } from '../domain/suddenSilence.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { Bulk } from '../redis/call/bulk.ts';
import { countExisting, existing } from '../redis/keyspace/keyspace.ts';
import type { Target } from '../redis/target/target.ts';
import { KeyReader } from '../schema/keyReader.ts';
import { isIdOf } from '../schema/keySchema.ts';
import { isSwarm } from '../schema/ids.ts';
import { type Binding, Matcher } from '../schema/matcher.ts';
import type { Entry, Owner, SweptOnce } from './entry.ts';
import { anywhereAmong, type Candidate, type Find, findAtOnce, ownersAmong, pairOf } from './standing.ts';
import { sweptWith } from './past.ts';
import { sweptOf } from './swept.ts';
import { ofCoordinator, ofHeartbeat, ofRemain, type Told } from './verdict.ts';
import { Failure } from '../domain/failure.ts';
import { isKeyRefusal, wordsOf } from '../redis/rights/refusals.ts';

export interface Known {
  /** Opened for a dry run: nothing is written. */
  readonly target: Target;
  readonly sightings: Sightings | null;
  readonly past: Past | null;
  /** `null`: what was swept is not told. */
  readonly ledger: Ledger | null;
  /** Told what an operator should know, that is no failure. */
  readonly warn: (sentence: string) => void;
}

/** A run of its own for each name: what is known of one tells nothing of the next. */
function runFor({ target, sightings, past, warn }: Known): RunContext {
  const { staleAfterSeconds } = target.settings;
  const request = {
    run: 'explain',
    trigger: 'cli',
    dryRun: true,
    staleAfterSeconds,
    force: false,
    attempts: 1,
    carried: null,
    startedAt: Date.now(),
  } as const;
  const options = { past, observer: { warn }, ...(sightings === null ? {} : { sightings }) };
  return atWhole(beginRun(target, request, options));
}

/** What is to be said of each name: as a key, as a coordinator's id, or, where it is both, twice. */
export async function explainNames(known: Known, names: readonly Buffer[]): Promise<Entry[]> {
  const run = runFor(known);
  const ids = names.length === 1 ? [] : names.flatMap((name) => idsAnywhereIn(run, name));
  const find = ids.length === 0 ? undefined : await findAtOnce(run, ids);
  const entries: Entry[] = [];
  for (const name of names) entries.push(...(await explainName(known, name, find)));
  return entries;
}

/** Of whom a name may be whose heartbeats have to be looked for. */
function idsAnywhereIn(run: RunContext, name: Buffer): Buffer[] {
  const segments = segmentsOf(run, name);
  const itself = segments === null ? [] : [{ id: name, swarm: null, segments }];
  return anywhereAmong(run, [...itself, ...readingsOf(run, name).candidates.values()]);
}

async function explainName(known: Known, name: Buffer, find?: Find): Promise<Entry[]> {
  const { schema } = known.target.settings;
  const kind = new KeyReader(schema, true).read(name);
  const exists = await isThere(known, name, kind === 'foreign');
  const isKey = exists || kind !== 'foreign';
  const coordinator = await explainCoordinator(known, name, find);
  const isCoordinator = coordinator !== null && (coordinator.verdict !== 'foreign' || coordinator.swept.length > 0);
  return [
    ...(isKey || coordinator === null ? [await explainKey(known, name, exists, find)] : []),
    ...(coordinator !== null && (isCoordinator || !isKey) ? [coordinator] : []),
  ];
}

/** Whether a key has this name; of one that is no run's, where the user may not look, as of an id beside the rights of a run: no. */
async function isThere(known: Known, name: Buffer, isForeign: boolean): Promise<boolean> {
  const { node } = runFor(known);
  try {
    const [exists = false] = await node.steadily('read', () => existing(node.calls, [name]));
    return exists;
  } catch (error) {
    if (isForeign && error instanceof Error && isKeyRefusal(error)) return false;
    throw error;
  }
}

// --- a key

async function explainKey(known: Known, name: Buffer, exists: boolean, find?: Find): Promise<Entry> {
  const run = runFor(known);
  const { schema } = run;
  const reader = new KeyReader(schema, true);
  const kind = reader.read(name);
  const entry = { name, kind: 'key', swept: [] } as const;
  if (kind === 'foreign') {
    const why = isOurs(run, name)
      ? "it is one of stalesweep's own keys: no run touches it"
      : `no template of the schema "${schema.name}" reads so: no run looks at it`;
    return { ...entry, family: null, template: null, owners: [], verdict: 'foreign', why };
  }
  if (kind === 'heartbeat') {
    const { idFrom, idTo, idSegments: segments, swarmFrom, swarmTo } = reader;
    const swarm = swarmFrom === -1 ? null : name.subarray(swarmFrom, swarmTo);
    const owners = await ownersAmong(run, [{ id: name.subarray(idFrom, idTo), swarm, segments }]);
    const template = schema.heartbeat.text;
    const told = ofHeartbeat(run, owners[0]);
    const swept = await sweptAmong(known, owners, name);
    return { ...entry, family: schema.families[schema.heartbeatFamily] ?? null, template, owners, ...told, swept };
  }
  const { owners, readings, isWhole } = await ownersOf(run, name, find);
  const read = familyOf(run, name, reader.template);
  const told: Told = isWhole
    ? await ofRemain(run, name, owners, { name: schema.families[read.family] ?? '', position: read.family, ...read })
    : { verdict: 'stays', why: 'its name can be read in more ways than anybody could prove' };
  const why = exists ? told.why : `there is no such key now; if there were: ${told.why}`;
  const swept = await sweptAmong(known, owners, name);
  const family = schema.families[read.family] ?? null;
  return { ...entry, family, template: read.template, readings, owners, verdict: told.verdict, why, swept };
}

function isOurs({ schema }: RunContext, name: Buffer): boolean {
  return [...OWN_PREFIXES, ...schema.ownPrefixes].some((prefix) => name.toString('latin1').startsWith(prefix));
}

/** The family under which a run looks at a key, where a scan finds it; else that of its name. */
function familyOf({ schema, reader }: RunContext, name: Buffer, position: number) {
  const isScanned = reader.read(name) === 'remain';
  const read = isScanned ? schema.scanned[reader.template] : schema.templates[position];
  return { family: read?.family ?? -1, template: read?.template.text ?? null, isScanned };
}

/** Every way to read a name as a key. */
function readingsOf({ reader }: RunContext, name: Buffer) {
  const candidates = new Map<string, Candidate>();
  /** By template, ids by what tells them apart. */
  const ways = new Map<number, Map<string, Buffer>>();
  const take = ({ idFrom, idTo, idSegments, swarmFrom, swarmTo }: Binding): boolean => {
    const id = name.subarray(idFrom, idTo);
    const swarm = swarmFrom === -1 ? null : name.subarray(swarmFrom, swarmTo);
    // In what is no swarm only who beats there owns something.
    const isNowhere = swarm !== null && !isSwarm(swarm, 0, swarm.length);
    candidates.set(pairOf(id, swarm), { id, swarm, segments: isNowhere ? -1 : idSegments });
    const ids = ways.get(reader.visited) ?? new Map<string, Buffer>();
    ways.set(reader.visited, ids.set(pairOf(id, null), id));
    return false;
  };
  const isWhole = reader.owners(name, Number.MAX_SAFE_INTEGER, take, null, true);
  return { candidates, ways, isWhole };
}

async function ownersOf(run: RunContext, name: Buffer, find?: Find) {
  const { schema } = run;
  const { candidates, ways, isWhole } = readingsOf(run, name);
  const owners = isWhole ? await ownersAmong(run, [...candidates.values()], find) : [];
  // What is nobody's id and never could be owns nothing.
  const owning = new Set(owners.map(({ coordinator }) => pairOf(coordinator, null)));
  const readings = [...ways].flatMap(([position, ids]) => {
    const { family, template } = schema.templates[position] as (typeof schema.templates)[number];
    const whose = [...ids].filter(([pair]) => owning.has(pair)).map(([, id]) => id);
    return whose.length === 0 ? [] : [{ family: schema.families[family] ?? '', template: template.text, ids: whose }];
  });
  return { owners, readings, isWhole };
}

/** What the ledger answers; what it refuses is not to pass for the target's words. */
async function fromLedger<T>(answer: Promise<T>): Promise<T> {
  return await answer.catch((error: unknown) => {
    throw new Failure('UNREACHABLE', `what was swept can not be read: ${wordsOf(error)}`, { cause: error });
  });
}

async function sweptAmong(
  { ledger, target }: Known,
  owners: readonly Owner[],
  name: Buffer,
): Promise<readonly SweptOnce[]> {
  return ledger === null ? [] : await fromLedger(sweptWith(ledger, target.settings, owners, name));
}

// --- a coordinator

/** `null` where the name can be nobody's id. */
async function explainCoordinator(known: Known, id: Buffer, find?: Find): Promise<Entry | null> {
  const run = runFor(known);
  const segments = segmentsOf(run, id);
  if (segments === null) return null;
  const owners = await ownersAmong(run, [{ id, swarm: null, segments }], find);
  const isKnown = owners.some(({ state }) => state !== 'none');
  if (!isKnown && !isIdOf(run.schema, segments)) return null;
  const told = await ofCoordinator(run, owners, !isKnown && (await hasRemains(run, id)));
  const { swept } =
    known.ledger === null
      ? { swept: [] }
      : await fromLedger(sweptOf(known.ledger, [id], { target: known.target.settings }));
  return { name: id, kind: 'coordinator', family: null, template: null, owners, ...told, swept };
}

/** How many segments it has as an id, as the matcher counts them; `null` where no heartbeat can have it. */
function segmentsOf({ schema }: RunContext, id: Buffer): number | null {
  let segments: number | null = null;
  const nothing = new Uint8Array(0);
  const alone = { tokens: [{ kind: 'coordinator' as const, bytes: nothing }], prefix: nothing };
  new Matcher(schema.ids).read(alone, id, Number.MAX_SAFE_INTEGER, ({ idTo, idSegments }) => {
    segments = idTo === id.length ? idSegments : null;
    return true;
  });
  return segments;
}

/** Whether any key is there whose name follows from the id alone. */
async function hasRemains({ node, spellers }: RunContext, id: Buffer): Promise<boolean> {
  const names = new Bulk();
  const whole = { bytes: id, from: 0, to: id.length };
  for (const { speller } of spellers.derived) if (!speller.hasSwarm) speller.spell(names, whole, whole);
  const { count } = await node.steadily('read', () => countExisting(node.calls, names));
  names.clear();
  return count > 0;
}
