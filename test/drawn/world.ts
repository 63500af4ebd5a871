/** world: a drawn keyspace of a layout: who beats, who is silent, what each of them has, alone or with others. */
import type { Random } from '../chaos/random.ts';
import { isShaped, LAYOUTS, type Layout, ownersIn, spell } from './layouts.ts';

/**
 * What somebody is as a run begins. `held` and `protected` have been silent for longer than the threshold, too; so has `outlasted`, but
 * for a time in which nobody could beat.
 */
export type State =
  | ('active' | 'outlasted' | 'stale' | 'unreadable' | 'held' | 'protected')
  | ('lapsed' | 'lapsedLiving' | 'lapsedHeld');

export interface Somebody {
  readonly id: string;
  readonly swarm: string;
  readonly heartbeat: string;
  readonly state: State;
  readonly silentSeconds: number;
}

/** What a key holds: `null`, a value of another type than a string. */
export interface Content {
  readonly value: string | null;
  readonly ttl: boolean;
  readonly idle: boolean;
}

export interface World {
  readonly name: string;
  readonly layout: Layout;
  readonly swarms: readonly string[];
  readonly everybody: readonly Somebody[];
  /** All but heartbeats. */
  readonly keys: ReadonlyMap<string, Content>;
  readonly protect: readonly string[];
  /** Of the families that may be named so. */
  readonly orphans: readonly string[];
  /** How many were active in the last run: with many, those who are not yet silent for twice the threshold are held. */
  readonly activeBefore: number | null;
  /** From and to how many seconds before the run nobody could beat; `null`: there was no such time. */
  readonly outage: Outage | null;
}

interface Outage {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

export const STALE_AFTER = 600;
/** How long they have been silent. What was seen of the lapsed counts by the second, as do those held; all others are far from any limit. */
const SILENT_SECONDS: Readonly<Record<State, number>> = {
  active: 10,
  outlasted: 1_500,
  stale: 3_630,
  lapsed: 3_630,
  lapsedLiving: 330,
  lapsedHeld: 870,
  unreadable: 10,
  held: 870,
  protected: 3_630,
};
const OUTAGE: Outage = { fromSeconds: 1_400, toSeconds: 200 };
/** Those who go unless they come back. */
const GOING: readonly State[] = ['stale', 'lapsed'];

export const isGoing = ({ state }: Somebody): boolean => GOING.includes(state);

const ODD = [
  ...['c1', 'c10', 'c', '*', '?', '[c]1', '\\', '{c1}', '{', '}', '$&', '\0', '\xff\xfe', '\r\n', '\xc3\xbc', ' '],
  ...['x'.repeat(280), 'completion', '1', 'beat', 'mail', 'to-c1', 'stalesweep', '{stalesweep}', 'heartbeat', ''],
  ...['constructor', '__proto__', '"', "'", 'z', 'hb', '-', '{}', '{coordinator}'],
];
/** By so many segments an id is longer than the layout says. */
const OTHERWISE = [...Array.from({ length: 14 }, () => 0), 1, -1];
const SWARMS = ['s1', 's2', 's10', '*', '{s}', '\xff', 'c1', 'completion', 'role', 's'];
const OWN = ['{stalesweep}:', 'stalesweep:'];

export const isOwn = (name: string): boolean => OWN.some((prefix) => name.startsWith(prefix));

/** Ids of which some have a name in common though no id of them says so: the name of one thing, called as the name of another. */
function takenForEachOther(random: Random, layout: Layout, id: string): readonly string[] {
  const templates = Object.entries(layout.families).flatMap(([family, some]) => (family === 'heartbeat' ? [] : some));
  const once = spell(random.pick(templates) ?? '', id, 'role', () => 'y');
  const twice = spell(random.pick(templates) ?? '', once, 'role', () => 'y');
  return [...new Set(ownersIn(layout, twice).map((owner) => owner.id))].slice(0, 4);
}

function drawIds(random: Random, layout: Layout, count: number): string[] {
  const { shape, never } = layout;
  const segment = (i: number) => (random.between(0, 3) === 0 ? (random.pick(ODD) ?? '') : `w${i}`);
  const lengths = shape === '+' ? (random.pick([[1], [1, 2], [1, 2, 3]]) ?? []) : [(shape ?? 'one').split(':').length];
  const ids = Array.from({ length: count }, (_, i) =>
    // Some have more segments than the layout says, or fewer: what could be theirs stays.
    Array.from({ length: (random.pick(lengths) ?? 1) + (random.pick(OTHERWISE) ?? 0) }, () => segment(i)).join(':'),
  );
  const longer = shape === '+' ? random.sample(ids, 4).map((id) => `${id}:sub`) : [];
  const taken = random.sample(ids, 2).flatMap((id) => takenForEachOther(random, layout, id));
  // Where nobody's id is strange a run has no reason to look for such.
  const areStrange = random.between(0, 1) === 0;
  return [...new Set([...ids, ...longer, ...taken])].filter(
    (id) => id !== '' && !never.includes(id.split(':')[0] ?? '') && (areStrange || isShaped(layout, id)),
  );
}

interface Wishes {
  readonly lapses: boolean;
  readonly holds: boolean;
  readonly outage: boolean;
  /** Most are stale. */
  readonly dying: boolean;
}

function drawState(random: Random, { lapses, holds, outage, dying }: Wishes): State {
  const states: readonly State[] = ['active', 'active', 'stale', 'stale', 'stale', 'unreadable'];
  const some = [
    ...states,
    ...(dying ? Array.from({ length: 8 }, () => 'stale' as const) : []),
    ...(lapses ? (['lapsed', 'lapsed', 'lapsedLiving'] as const) : []),
    ...(outage ? (['outlasted'] as const) : []),
  ];
  const state = random.pick(some) ?? 'active';
  const isHeld = holds && random.between(0, 1) === 0;
  return isHeld && state === 'stale' ? 'held' : isHeld && state === 'lapsed' ? 'lapsedHeld' : state;
}

export function drawWorld(random: Random): World {
  const name = random.pick(Object.keys(LAYOUTS)) ?? 'flat';
  const layout = LAYOUTS[name] as Layout;
  const heartbeat = layout.families.heartbeat?.[0] ?? '';
  const hasSwarm = heartbeat.includes('{swarm}');
  const ids = drawIds(random, layout, random.between(2, random.pick([8, 40, 100]) ?? 8));
  // Some are called as somebody is: what is one's own may then be read as another's in that swarm.
  const called = random.sample(ids, random.pick([0, 3]) ?? 0).filter((id) => !id.includes(':'));
  const swarms = hasSwarm ? random.sample([...new Set([...called, ...SWARMS])], random.between(1, 6)) : [''];
  const activeBefore = random.between(0, 3) === 0 ? 2_000 : null;
  // Where time counts that was lost to a server, the silence of the lapsed does from the start of this one.
  const outage = activeBefore === null && random.between(0, 3) === 0;
  const wishes = {
    lapses: !outage && random.between(0, 1) === 0,
    holds: activeBefore !== null,
    outage,
    dying: random.between(0, 1) === 0,
  };
  const fit = ids.filter(isWritable);
  // Somebody under whose id nobody beats keeps what could be theirs, too, alone or with others.
  const spares = random.between(0, 1) === 0;
  const protect = spares ? [...random.sample(fit, 2), random.pick(nobodiesIn(layout)) ?? ''] : [];
  const everybody: Somebody[] = [];
  for (const id of ids) {
    for (const swarm of random.sample(swarms, random.between(1, random.pick([1, 1, 3]) ?? 1))) {
      const key = spell(heartbeat, id, swarm, () => '');
      const read = ownersIn(layout, key);
      if (isOwn(key) || !read.some((one) => one.family === 'heartbeat' && one.id === id && one.swarm === swarm))
        continue;
      if (everybody.some((one) => one.heartbeat === key)) continue;
      const drawn = drawState(random, wishes);
      const isSilent = ['stale', 'held', 'lapsed', 'lapsedHeld'].includes(drawn);
      const shaped = isShaped(layout, id);
      if (!shaped && drawn.startsWith('lapsed')) continue;
      const state = !shaped ? 'unreadable' : isSilent && protect.includes(id) ? 'protected' : drawn;
      if (drawn.startsWith('lapsed') && state === 'protected') continue;
      everybody.push({ id, swarm, heartbeat: key, state, silentSeconds: SILENT_SECONDS[drawn] });
    }
  }
  const keys = drawKeys(random, layout, everybody, ids);
  if (spares) protect.push(...random.sample(othersIn(layout, keys, everybody), 2));
  const wild = Object.keys(layout.families).filter((family) => family !== 'heartbeat');
  const orphans = random.between(0, 2) === 0 ? random.sample(wild, random.between(1, 2)) : [];
  return { name, layout, swarms, everybody, keys, protect, orphans, activeBefore, outage: outage ? OUTAGE : null };
}

/** Ids, of the shape that the layout says, under which nobody has ever beaten. */
export function nobodiesIn({ shape }: Layout): readonly string[] {
  const rest =
    shape === null || shape === '+'
      ? ''
      : shape
          .split(':')
          .slice(1)
          .map((segment) => `:${segment}`)
          .join('');
  return [0, 1, 2].map((no) => `nobody${no}${rest}`);
}

/** Whether a list of those who are protected can hold this id as it is. */
function isWritable(id: string): boolean {
  return !id.includes('*') && isUtf8(id) && id.trim() === id;
}

/** Ids of another shape than the layout says, as which some names can be read, and under which nobody has ever beaten. */
function othersIn(layout: Layout, keys: ReadonlyMap<string, Content>, everybody: readonly Somebody[]): string[] {
  const known = new Set(everybody.map(({ id }) => id));
  const ids = [...keys.keys()].flatMap((name) => ownersIn(layout, name).map(({ id }) => id));
  return [...new Set(ids)].filter((id) => !known.has(id) && !isShaped(layout, id) && isWritable(id));
}

function isUtf8(id: string): boolean {
  return (
    Buffer.from(id, 'latin1').toString('utf8') !== '' && !Buffer.from(id, 'latin1').toString('utf8').includes('\ufffd')
  );
}

/** Keys of each of them, of which many name others too, and some of nobody. */
function drawKeys(random: Random, layout: Layout, everybody: readonly Somebody[], ids: readonly string[]) {
  const templates = Object.entries(layout.families).flatMap(([family, some]) => (family === 'heartbeat' ? [] : some));
  const keys = new Map<string, Content>();
  const wild = templates.filter((template) => template.includes('*'));
  const most = random.pick([2, 5, 10]) ?? 2;
  const unheard = nobodiesIn(layout);
  const nobodies = unheard.map((id) => ({ id, swarm: everybody[0]?.swarm ?? '' }));
  const going = everybody.filter(isGoing);
  for (const one of [...everybody, ...nobodies]) {
    const { id, swarm } = one;
    // What is of two who go is what a run must prove twice.
    const fellows = 'state' in one && isGoing(one) ? going.map((other) => other.id) : ids;
    for (let i = 0; i < most; i++) {
      const others = random.pick([unheard, ids, fellows, fellows]) ?? ids;
      const key = spell(
        random.pick(random.between(0, 1) === 0 && wild.length > 0 ? wild : templates) ?? '',
        id,
        swarm,
        () => drawStar(random, others),
      );
      if (ownersIn(layout, key)[0]?.family === 'heartbeat') continue;
      const isString = random.between(0, 5) > 0;
      const value = isString ? `v${keys.size}` : null;
      keys.set(key, { value, ttl: random.between(0, 3) === 0, idle: random.between(0, 1) === 0 });
    }
  }
  return keys;
}

export function drawStar(random: Random, ids: readonly string[]): string {
  const id = random.pick(ids) ?? '';
  return random.pick([id, id, `${id}:completion:3:1760000000000`, `x:${id}:y`, 'word', '']) ?? '';
}
