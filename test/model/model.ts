/** model: what the promises say must be left of a keyspace, and what the report must say, worked out the plain way.
 *
 * It imports nothing of the code it judges. Names and values are byte strings: each character stands for one byte.
 * Where the promises are silent, a comment says whose behaviour is recorded.
 */

/** Families in the order written, each with its templates; one of them is `heartbeat`. */
export type Families = Readonly<Record<string, readonly string[]>>;

/** A key that is there. */
export interface ModelKey {
  readonly name: string;
  /** `null` for a key that is not a string. */
  readonly value: string | null;
  readonly idleSeconds: number;
}

/** Somebody whom an earlier run saw to beat, and when last (P11). */
export interface ModelSighting {
  readonly coordinator: string;
  /** Missing where heartbeats name none. */
  readonly swarm?: string;
  readonly beatAtSeconds: number;
}

/** What ids look like. */
export interface ModelIds {
  /** How many `:`-separated segments an id has; `null`: one or more. */
  readonly segments: number | null;
  /** Words that no id is or begins with. */
  readonly never: readonly string[];
}

/** What a target is configured with, as far as it decides who goes. */
export interface ModelSettings {
  readonly ids: ModelIds;
  readonly families: Families;
  /** Families whose orphans are swept. */
  readonly orphans: readonly string[];
  readonly staleAfterSeconds: number;
  readonly maxStaleFraction: number;
  readonly seen: readonly ModelSighting[];
}

interface Owner {
  readonly coordinator?: string;
  /** Missing where the name holds no swarm: then it could be any. */
  readonly swarm?: string;
}

function segmentsIn(id = ''): readonly string[] {
  return id.split(':');
}

type State = 'active' | 'stale' | 'unreadable';

/** Why a heartbeat can't be judged (P4), as the report says it. */
type Reason = 'id-shape' | 'not-json' | 'no-time' | 'wrong-unit' | 'future' | 'wrong-type' | 'no-zone';

/** A heartbeat that can't be judged. */
export interface Unreadable {
  readonly name: string;
  readonly why: Reason;
}

/** Where the promises leave a count open, what it is at least and at most. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/** What a run must come to. */
export interface Expected {
  readonly outcome: 'completed' | 'refused';
  /** The names that must be left, sorted. */
  readonly left: readonly string[];
  readonly checked: number;
  readonly active: number;
  readonly stale: number;
  /** How many of them have no heartbeat any more. */
  readonly lapsed: number;
  /** Who of the seen, having no heartbeat, must be known to the next run. */
  readonly remembered: readonly ModelSighting[];
  /** The heartbeats that can't be judged. */
  readonly unreadable: readonly Unreadable[];
  /** How many keys go. */
  readonly found: number;
  readonly byFamily: Readonly<Record<string, Range>>;
  /**
   * How many orphans the report counts, `null` where no family needs a scan. At least those of families with a wildcard
   * and of those to be swept; at most all, since other families too may have to be scanned, to see who else could own
   * their keys, and the promises leave open which.
   */
  readonly orphans: Range | null;
  /**
   * How many keys stay although a stale one could own them. At least those that fit a template with a wildcard; of others no run
   * need know that they are there. At most those too that only lapsed ones could own who left nothing else.
   */
  readonly kept: Range;
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const PLACEHOLDERS = ['swarm', 'coordinator'] as const;

function isId(text: string, { never }: ModelIds): boolean {
  const segments = segmentsIn(text);
  return text !== '' && !never.includes(segments[0] ?? '');
}

/**
 * Every way to read the key as the template, character by character: `{swarm}` is `[^:]+`, `{coordinator}` an id of any number
 * of segments, `*` any run.
 */
function readings(template: string, key: string, ids: ModelIds, owner: Owner = {}, anySwarm = false): Owner[] {
  if (template === '') return key === '' ? [owner] : [];
  if (template.startsWith('*')) {
    return Array.from({ length: key.length + 1 }, (_, n) => n).flatMap((n) =>
      readings(template.slice(1), key.slice(n), ids, owner, anySwarm),
    );
  }
  for (const name of PLACEHOLDERS) {
    if (!template.startsWith(`{${name}}`)) continue;
    const found: Owner[] = [];
    for (let n = 0; n <= key.length; n++) {
      const text = key.slice(0, n);
      const isSwarm = anySwarm || (text !== '' && !text.includes(':'));
      if (name === 'swarm' ? !isSwarm : !isId(text, ids)) continue;
      found.push(...readings(template.slice(name.length + 2), key.slice(n), ids, { ...owner, [name]: text }, anySwarm));
    }
    return found;
  }
  return template[0] === key[0] ? readings(template.slice(1), key.slice(1), ids, owner, anySwarm) : [];
}

/** What a template says besides where its parts end. */
function wordsIn(template: string): readonly string[] {
  return template.split(/\{coordinator\}|\{swarm\}|[*:]/).filter((word) => word !== '');
}

/**
 * Whose heartbeat a name is. What a family names by a word of its own is no heartbeat of a longer id; and who beats in the place of a
 * swarm that is none, of no segment or of several, can't be judged (P4).
 */
function heartbeatsIn(
  { families, ids }: ModelSettings,
  name: string,
  hasShape: (owner: Owner) => boolean,
): readonly (Owner & { isWhole: boolean })[] {
  const { heartbeat = [], ...others } = families;
  const templates = Object.values(others).flat();
  const isOther = (some: readonly string[]) =>
    some.some((template) => readings(bytesOf(template), name, ids).some(hasShape));
  return heartbeat.flatMap((template) => {
    const text = bytesOf(template);
    const found = readings(text, name, ids);
    const isKnown = (word: string) => wordsIn(template).some((one) => one.includes(word));
    const worded = templates.filter((other) => !wordsIn(other).every(isKnown));
    if (found.length > 0) {
      return found
        .filter((owner) => hasShape(owner) || !isOther(worded))
        .map((owner) => ({ ...owner, isWhole: hasShape(owner) }));
    }
    // Where it reads in several ways the first is recorded.
    const [swarmless] = readings(text, name, ids, {}, true);
    const isWord = readings(text, name, { ...ids, never: [] }).length > 0;
    return swarmless === undefined || isWord || isOther(worded) ? [] : [{ ...swarmless, isWhole: false }];
  });
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** An ISO 8601 date and time with a zone, in ms since the epoch. Without a zone the instant is anybody's guess (P4). */
function isoInstant(text: string): number | Reason {
  const [, ...parts] = ISO.exec(text) ?? [];
  if (parts.length === 0) return 'no-time';
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(0, 6).map((n) => Number(n ?? 0));
  const zone = parts[7];
  if (zone === undefined) return 'no-zone';
  const sign = zone.startsWith('-') ? -1 : 1;
  const [zoneHours, zoneMinutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', ''))];
  const offset = sign * (zoneHours * 60 + zoneMinutes);
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const midnight = hour === 24 && minute === 0 && second === 0;
  if (!exists || (hour > 23 && !midnight) || Math.max(minute, second, zoneMinutes) > 59 || zoneHours > 23)
    return 'no-time';
  const instant = date.getTime() + ((hour * 60 + minute - offset) * 60 + second + Number(`0.${parts[6] ?? 0}`)) * 1000;
  // Silent about dates before the epoch: nobody beat then, so they are not usable.
  return instant < 0 ? 'no-time' : msInstant(instant);
}

/** A number of ms; one that lies before 2001-09-09T01:46:40Z counts something else (P4). */
function msInstant(number: number): number | Reason {
  if (!Number.isFinite(number)) return 'no-time';
  return number < Date.parse('2001-09-09T01:46:40Z') ? 'wrong-unit' : number;
}

/** When the coordinator last beat, or why that can't be told (P4, P5). */
function beatAt(value: string | null): number | Reason {
  if (value === null) return 'wrong-type';
  let parsed: unknown;
  try {
    // Duplicate names: the last one holds, as JSON.parse, and nearly every other reader, has it.
    parsed = JSON.parse(value);
  } catch {
    return 'not-json';
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'not-json';
  const members = new Map<string, unknown>(Object.entries(parsed));
  const own = members.has('timestamp') ? members.get('timestamp') : members.get('lastHeartbeat');
  if (typeof own === 'number') return msInstant(own);
  if (typeof own !== 'string') return 'no-time';
  // Silent about what is numeric: a minus sign, digits and a fraction are; a plus sign, exponents, blanks and 0x are not.
  return /^-?[0-9]+(\.[0-9]+)?$/.test(own) ? msInstant(Number(own)) : isoInstant(own);
}

/** Stale is an age in whole seconds above the threshold (P5). What lies after the current second is in the future (P4). */
function judgedAs(
  value: string | null,
  nowSeconds: number,
  staleAfterSeconds: number,
): Exclude<State, 'unreadable'> | Reason {
  const at = beatAt(value);
  if (typeof at === 'string') return at;
  if (at >= (nowSeconds + 1) * 1000) return 'future';
  const ageSeconds = Math.floor((nowSeconds * 1000 - at) / 1000);
  return ageSeconds > staleAfterSeconds ? 'stale' : 'active';
}

/**
 * Who was seen and has no heartbeat any more, once each, with the last beat seen. Nobody could have had a heartbeat of another
 * name than the schema's (P8).
 */
function lapsedOf({ families, ids, seen }: ModelSettings, hasHeartbeat: (owner: Owner) => boolean) {
  const isSame = (a: Owner, b: Owner) => a.coordinator === b.coordinator && a.swarm === b.swarm;
  const named = seen.filter((one) =>
    (families.heartbeat ?? []).some((template) => {
      const name = bytesOf(template).replace(
        /\{(coordinator|swarm)\}/g,
        (_, what: 'coordinator' | 'swarm') => one[what] ?? '',
      );
      return readings(bytesOf(template), name, ids).some((owner) => isSame(owner, one));
    }),
  );
  const last = named.filter((one) => !named.some((b) => isSame(b, one) && b.beatAtSeconds > one.beatAtSeconds));
  return last.filter((one, i) => last.findIndex((b) => isSame(b, one)) === i && !hasHeartbeat(one));
}

function rangeOf(removed: readonly (readonly string[])[], family: string): Range {
  const fit = removed.filter((families) => families.includes(family));
  return { least: fit.filter((families) => families.length === 1).length, most: fit.length };
}

/** What one run must do with these keys when the target's clock says `nowSeconds`. */
export function expectedOf(settings: ModelSettings, keys: readonly ModelKey[], nowSeconds: number): Expected {
  const { families, staleAfterSeconds, maxStaleFraction } = settings;
  const { heartbeat: _, ...others } = families;
  const ownersIn = (templates: readonly string[], name: string) =>
    templates.flatMap((template) => readings(bytesOf(template), name, settings.ids, {}, true));
  const { segments } = settings.ids;
  // Somebody may beat under an id with an empty segment, though it is none, or in the place of a swarm where none is.
  const hasShape = ({ coordinator, swarm }: Owner) => {
    if (swarm === '' || swarm?.includes(':')) return false;
    const all = segmentsIn(coordinator);
    return all.every((segment) => segment !== '') && (segments === null || all.length === segments);
  };

  const coordinators = keys.flatMap((key) =>
    heartbeatsIn(settings, key.name, hasShape).map(({ isWhole, ...owner }) => {
      const judged = isWhole ? judgedAs(key.value, nowSeconds, staleAfterSeconds) : 'id-shape';
      const [state, why]: [State, Reason | null] =
        judged === 'active' || judged === 'stale' ? [judged, null] : ['unreadable', judged];
      return { ...owner, key: key.name, state, why };
    }),
  );
  const heartbeatKeys = new Map(coordinators.map((one) => [one.key, one]));
  const lapsed = lapsedOf(settings, ({ coordinator, swarm }) =>
    coordinators.some((one) => one.coordinator === coordinator && one.swarm === swarm),
  )
    .filter(hasShape)
    .map((one): ModelSighting & { state: State } => ({
      ...one,
      state: nowSeconds - one.beatAtSeconds > staleAfterSeconds ? 'stale' : 'active',
    }));
  const everybody: readonly (Owner & { state: State })[] = [...coordinators, ...lapsed];

  // Whose name can be read in several ways that no schema has may be either; it is counted once.
  const otherwise = coordinators
    .filter(({ why }) => why === 'id-shape')
    .flatMap(({ key }) => ownersIn(families.heartbeat ?? [], key))
    .map((owner) => ({ ...owner, state: 'unreadable' as const }));

  const byId = new Map<string | undefined, (Owner & { state: State })[]>();
  for (const one of [...everybody, ...otherwise])
    byId.set(one.coordinator, [...(byId.get(one.coordinator) ?? []), one]);
  const knownOwnersOf = (owners: readonly Owner[]) => [
    ...new Set(
      owners.flatMap((owner) =>
        (byId.get(owner.coordinator) ?? []).filter(({ swarm }) => (owner.swarm ?? swarm) === swarm),
      ),
    ),
  ];
  const goes = (owners: readonly Owner[]) => {
    const known = knownOwnersOf(owners);
    return owners.some(hasShape) && known.length > 0 && known.every(({ state }) => state === 'stale');
  };
  // Who left nothing that may go is nobody to be swept.
  const ways = new Map(
    keys
      .filter(({ name }) => !heartbeatKeys.has(name))
      .map(({ name }) => [
        name,
        Object.entries(others).map(([one, templates]) => ({ one, owners: ownersIn(templates, name) })),
      ]),
  );
  const going = new Set(
    [...ways.values()]
      .map((read) => read.flatMap(({ owners }) => owners))
      .filter(goes)
      .flatMap(knownOwnersOf),
  );
  const lapsedOnes = new Set<Owner>(lapsed);
  const counted = everybody.filter((one) => one.state !== 'stale' || !lapsedOnes.has(one) || going.has(one));
  const count = (state: State) => counted.filter((one) => one.state === state).length;
  const refused = count('stale') >= 10 && count('stale') / counted.length > maxStaleFraction;

  const left: string[] = [];
  const removed: (readonly string[])[] = [];
  const isWild = (template: string) => template.includes('*');
  const countsOrphans = (family: string) => settings.orphans.includes(family) || (families[family] ?? []).some(isWild);
  const needsScan = settings.orphans.length > 0 || Object.values(others).flat().some(isWild);
  const orphans = { least: 0, most: 0 };
  const shared = { least: 0, most: 0 };
  const wild = Object.values(others).flat().filter(isWild);

  for (const { name, idleSeconds } of keys) {
    const beating = heartbeatKeys.get(name);
    if (beating !== undefined) {
      if (beating.state === 'stale' && !refused) removed.push(['heartbeat']);
      else left.push(name);
      continue;
    }
    // A key is whoever's any template says (P2).
    const read = ways.get(name) ?? [];
    const owners = read.flatMap((family) => family.owners);
    const fitting = read.filter((family) => family.owners.some(hasShape)).map(({ one }) => one);
    // Silent about keys that fit several families: as an orphan such a key is the first one's, as written.
    const family = fitting[0];
    const known = knownOwnersOf(owners);
    const stale = known.filter(({ state }) => state === 'stale');
    if (!refused && stale.length > 0 && stale.length < known.length) {
      shared.most++;
      if (stale.some((one) => counted.includes(one)) && ownersIn(wild, name).length > 0) shared.least++;
    }
    const orphan = family !== undefined && known.length === 0;
    if (orphan && countsOrphans(family)) orphans.least++;
    if (orphan) orphans.most++;
    // A run that met no heartbeat at all sweeps no orphan.
    const mayGo = settings.orphans.includes(family ?? '') && coordinators.length > 0;
    const sweptOrphan = orphan && mayGo && idleSeconds > staleAfterSeconds;
    if (family !== undefined && (goes(owners) || sweptOrphan) && !refused) removed.push(fitting);
    else left.push(name);
  }
  return {
    outcome: refused ? 'refused' : 'completed',
    left: left.sort(),
    checked: counted.length,
    active: count('active'),
    stale: count('stale'),
    lapsed: lapsed.filter((one) => one.state === 'stale' && counted.includes(one)).length,
    remembered: lapsed.filter(({ state }) => state === 'active' || refused),
    unreadable: coordinators.flatMap(({ key, why }) => (why === null ? [] : [{ name: key, why }])),
    found: removed.length,
    // Silent again: a key that fits several families counts once, for any of them.
    byFamily: Object.fromEntries(Object.keys(families).map((family) => [family, rangeOf(removed, family)])),
    orphans: needsScan ? orphans : null,
    kept: shared,
  };
}
