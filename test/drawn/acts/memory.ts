/** memory: who is who as a run begins, by what is there and what earlier runs must, or may, have kept of it (P11); worked out the plain way. */
import type { Random } from '../../chaos/random.ts';
import { isShaped, type Layout, type Owner } from '../layouts.ts';
import { STALE_AFTER } from '../world.ts';

/** What a heartbeat holds; `null`: there is none. `ahead` and `none` can't be judged. */
export type Form = 'beat' | 'ahead' | 'none' | null;

/** Seconds are those of the story. */
export interface Person {
  readonly id: string;
  readonly swarm: string;
  readonly heartbeat: string;
  form: Form;
  beatAt: number;
  /** The last beat that a run saw and must have kept. */
  seenAt: number | null;
  /** The same of a run that ended early, or of somebody who went: it may have been kept. */
  perhapsAt: number | null;
  /** When what was given back of it had gone: what was seen of it until then is no reason to take anything. */
  givenAt: number;
}

/**
 * - `living`: nothing that could be theirs may go.
 * - `stale`: what is theirs alone must go.
 * - `open`: nobody can say whether a run knows them.
 * - `spared`: some of theirs was given back since; whether a run knows them nobody can say.
 * - `nobody`: they never beat before the eyes of a run.
 */
export type Standing = 'living' | 'stale' | 'open' | 'spared' | 'nobody';

/** From a beat to the next run, in seconds. */
const BEFORE = 20;

/** What somebody does until this instant. */
export function passTime(person: Person, random: Random, now: number): void {
  const act = random.pick(['beat', 'beat', 'beat', 'still', 'still', 'still', 'still', 'lose', 'lose', 'blur']);
  if (act === 'beat' || (act === 'blur' && person.form === null)) {
    person.form = 'beat';
    person.beatAt = now - BEFORE - random.between(0, 4);
  } else if (act === 'lose') person.form = null;
  else if (act === 'blur') person.form = random.pick(['ahead', 'none'] as const) ?? 'none';
}

function isLong(sinceAt: number, now: number): boolean {
  return now - sinceAt > STALE_AFTER;
}

export function standingOf(layout: Layout, person: Person, now: number): Standing {
  const { id, form, beatAt, seenAt, perhapsAt, givenAt } = person;
  if (form !== null) return form === 'beat' && isShaped(layout, id) && isLong(beatAt, now) ? 'stale' : 'living';
  if (seenAt === null) return perhapsAt === null ? 'nobody' : perhapsAt <= givenAt ? 'spared' : 'open';
  if (seenAt <= givenAt) return perhapsAt !== null && perhapsAt > givenAt ? 'open' : 'living';
  if (!isLong(seenAt, now)) return 'living';
  return perhapsAt !== null && !isLong(perhapsAt, now) ? 'open' : 'stale';
}

/** What becomes of a name in a run. */
export type Fate = 'goes' | 'stays' | 'open';

/** @param owners in every way in which the name can be read; @param of who is known by such an owner */
export function fateOf(
  layout: Layout,
  protect: readonly string[],
  owners: readonly Owner[],
  of: (owner: Owner) => readonly Standing[],
): Fate {
  if (!owners.some(({ id }) => isShaped(layout, id))) return 'stays';
  if (owners.some(({ id }) => protect.includes(id))) return 'stays';
  const standings = owners.flatMap(of);
  if (standings.includes('living')) return 'stays';
  if (standings.includes('open')) return 'open';
  if (!standings.includes('stale')) return 'stays';
  return standings.includes('spared') ? 'open' : 'goes';
}

/** What a run that looked at everybody leaves of somebody. @param hasLeft whether something that may go is there still */
export function afterLook(layout: Layout, person: Person, now: number, hasLeft: boolean): void {
  const standing = standingOf(layout, person, now);
  const isKnown = person.seenAt !== null;
  if (!isShaped(layout, person.id)) return;
  if (person.form === 'beat') {
    person.seenAt = person.beatAt;
    person.perhapsAt = null;
  } else if (person.form !== null) {
    // Known to have beaten, and there: its silence begins once its heartbeat is gone.
    if (isKnown) person.seenAt = now;
    if (person.perhapsAt !== null) person.perhapsAt = now;
  } else if (standing === 'stale' && !hasLeft) forget(person, now);
  // It went and was forgotten, or lives by what may have been kept of it.
  else if (standing === 'open') person.seenAt = null;
}

/** Nobody, unless it shares something with somebody who lives. */
export function forget(person: Person, now: number): void {
  person.perhapsAt = Math.min(person.seenAt ?? person.beatAt, now - STALE_AFTER - 1);
  person.seenAt = null;
}

/** What a run that ended early may have kept of it. */
export function afterGlance(layout: Layout, person: Person, now: number): void {
  if (!isShaped(layout, person.id) || person.form === null) return;
  person.perhapsAt = person.form === 'beat' ? person.beatAt : now;
}
