/** members: who works on this queue, and on which targets. It stands in the queue's Redis: a hash with a field a process.
 *
 *  A process announces itself every few seconds, and takes its leave when it ends in order. What it said is kept for a day:
 *  whether a name has meant two Redis deployments matters longer than a process lives. */
import * as v from 'valibot';
import { type Decisive, decisiveIn, decisiveOf, differing } from '../config/decisive.ts';
import { fingerprintOf, samePlace } from '../config/fingerprint.ts';
import type { TargetConfig } from '../config/resolve.ts';
import type { Queues } from './queues.ts';

/** Who has said nothing for this long is gone. */
export const GONE_AFTER_MS = 60_000;
const FORGOTTEN_AFTER_MS = 24 * 3_600_000;

const SAID = v.object({
  by: v.string(),
  at: v.pipe(v.number(), v.finite()),
  left: v.boolean(),
  targets: v.record(v.string(), v.string()),
  // Older versions do not say.
  settings: v.optional(v.record(v.string(), v.unknown()), {}),
});

/** Who speaks: in containers many have the same host name and process id. */
export interface Self {
  /** Nobody else's. */
  readonly id: string;
  /** Host and process id, for people. */
  readonly by: string;
}

/** What is meant by the names of targets. */
export interface Meant {
  /** Fingerprints by target name. */
  readonly targets: Readonly<Record<string, string>>;
  /** What decides who goes, by target name, as far as it is said and can be understood. */
  readonly settings: Readonly<Record<string, Decisive>>;
}

/** A process that works on the queue, or did within the last day. */
export interface Member extends Self, Meant {
  /** When it was heard of last, in epoch ms by the queue's clock. */
  readonly at: number;
  /** Whether it works now. */
  readonly isHere: boolean;
}

export function meantBy(targets: ReadonlyMap<string, TargetConfig>): Meant {
  const byName = <T>(of: (target: TargetConfig) => T): Record<string, T> =>
    Object.fromEntries([...targets].map(([name, target]) => [name, of(target)]));
  return { targets: byName(fingerprintOf), settings: byName(decisiveOf) };
}

function keyOf({ prefix }: Queues): string {
  return `${prefix}:members`;
}

function memberIn(id: string, said: string, now: number): Member | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(said);
  } catch {
    return null;
  }
  const result = v.safeParse(SAID, parsed);
  if (!result.success || now - result.output.at > FORGOTTEN_AFTER_MS) return null;
  const { by, at, left, targets } = result.output;
  const settings = Object.entries(result.output.settings).flatMap(([name, said]) => {
    const known = decisiveIn(said);
    return known === null ? [] : [[name, known] as const];
  });
  const isHere = !left && now - at <= GONE_AFTER_MS;
  return { id, by, at, isHere, targets, settings: Object.fromEntries(settings) };
}

/** All that were heard of within a day. Forgets the others. */
export async function readMembers(queues: Queues): Promise<readonly Member[]> {
  const members: Member[] = [];
  const forgotten: string[] = [];
  for (const [id, said] of Object.entries(await queues.connection.hgetall(keyOf(queues)))) {
    const member = memberIn(id, said, Date.now());
    if (member === null) forgotten.push(id);
    else members.push(member);
  }
  if (forgotten.length > 0) await queues.connection.hdel(keyOf(queues), ...forgotten);
  return members;
}

/** Says that this process works on these targets, or, with `left`, that it no longer does. */
export async function announce(queues: Queues, { id, by }: Self, meant: Meant, left = false): Promise<void> {
  await queues.connection.hset(keyOf(queues), id, JSON.stringify({ by, at: Date.now(), left, ...meant }));
}

/** Whether anybody takes runs: a process that says so, or a worker of another program, of which only Redis knows, where it may be asked. */
export async function isServed(queues: Queues): Promise<boolean> {
  const members = await readMembers(queues);
  if (members.some(({ isHere }) => isHere)) return true;
  const others = await queues.runs.getWorkersCount().catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ReplyError') return 0;
    throw error;
  });
  return others > 0;
}

/** Whether somebody works here for whom the name means this very target. */
export function isWorkedOn(members: readonly Member[], target: string, fingerprint?: string): boolean {
  return members.some(
    ({ isHere, targets }) =>
      isHere && targets[target] !== undefined && (fingerprint === undefined || targets[target] === fingerprint),
  );
}

/** Somebody for whom the name has meant another Redis within the last day; `null` when there is nobody. */
export function otherMeaning(members: readonly Member[], target: string, fingerprint: string): Member | null {
  return (
    members.find(({ targets }) => {
      const other = targets[target];
      return other !== undefined && !samePlace(other, fingerprint);
    }) ?? null
  );
}

/** By which fingerprints others work now on the Redis that is meant here by this name, by other schemas. */
export function otherSchemasOf(members: readonly Member[], target: string, fingerprint: string): ReadonlySet<string> {
  const meant = members.flatMap(({ isHere, targets }) => (isHere ? (targets[target] ?? []) : []));
  return new Set(meant.filter((other) => other !== fingerprint && samePlace(other, fingerprint)));
}

/** Which settings that decide who goes somebody has otherwise who cleans the very target that is meant here by this name. */
export function otherwiseSet(theirs: Meant, ours: Meant, target: string): readonly string[] {
  const [own, other] = [ours.settings[target], theirs.settings[target]];
  if (theirs.targets[target] !== ours.targets[target] || own === undefined || other === undefined) return [];
  return differing(own, other);
}

/** By what settings those go who work on this very target now, as far as they say so. */
export function settingsAmong(members: readonly Member[], target: string, fingerprint: string): Decisive[] {
  return members.flatMap(({ isHere, targets, settings }) =>
    isHere && targets[target] === fingerprint ? (settings[target] ?? []) : [],
  );
}
