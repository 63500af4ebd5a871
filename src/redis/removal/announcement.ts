/** announcement: who was swept, said in the step that removes their last things.
 *
 * Whose heartbeat goes is swept by that call and no other. Of one who has none any more nothing shows that: of two runs side by side
 * both may take the last of its things for theirs to remove. So a set holds, for an hour or two, of whom it was said.
 */
import { createHash } from 'node:crypto';
import type { Announce } from '../../config/values/removalValues.ts';
import type { Order, Reply } from '../call/wire.ts';

/** One of whom it is said. */
export interface Announced {
  readonly id: string;
  readonly swarm: string | null;
  /** What its heartbeat is called, also where it has lapsed. */
  readonly heartbeat: Uint8Array;
  /** Whether it has none any more. */
  readonly hasLapsed: boolean;
  /** When it last beat, by what is known, in whole seconds. */
  readonly beatAtSeconds: number;
}

export interface Announcement {
  readonly where: Announce;
  /** What is said beside the coordinators. */
  readonly said: { readonly run: string; readonly target: string; readonly at: string | null };
  /** Those who have a heartbeat first, in the order of these. */
  readonly coordinators: readonly Announced[];
  /** In which hour, since the epoch, by the target's clock. */
  readonly hour: number;
  /** Of a slot of a cluster: puts names there. */
  readonly tag?: string;
  /**
   * A key that says for a while that it was said, for a chunk that would else not show when it is sent again: one without
   * heartbeats that go. `null` for all others.
   */
  readonly once: string | null;
}

/** What the keys that say so begin with. */
export const ANNOUNCED_PREFIX = 'stalesweep:announced:';
/** Longer than any chunk is sent again and again, in ms. */
export const ANNOUNCED_MS = 600_000;
const HOUR_MS = 3_600_000;
/** For so many hours one set is added to. Where it is said before heartbeats go, a killed run may be taken up a day later. */
const HOURS = 1;
const HOURS_IN_CLUSTER = 24;
/** The field of a stream's entry that holds the message. */
export const MESSAGE_FIELD = 'message';

/** What the message ends with, after the last coordinator. */
export const TAIL = ']}';

/** JSON, as a byte string: what the message begins with, before the first coordinator. */
export function headOf({ said }: Announcement): string {
  return inBytes(JSON.stringify({ ...said, coordinators: [] }).slice(0, -TAIL.length));
}

/** JSON, as a byte string: what the message says of one. */
export function partOf({ id, swarm }: Announced): string {
  return inBytes(JSON.stringify({ id, swarm }));
}

/** The message: JSON, as a byte string. */
export function messageOf(announcement: Announcement): string {
  return `${headOf(announcement)}${announcement.coordinators.map(partOf).join()}${TAIL}`;
}

/** The hour of this instant, in ms since the epoch. */
export function hourOf(nowMs: number): number {
  return Math.floor(nowMs / HOUR_MS);
}

/** Where it stands of whom it was said. */
export interface Known {
  /** The set of this time, and that of the time before. */
  readonly sets: readonly [string, string];
  /** How long they are kept after they were last added to, in ms: until the time after theirs is over. */
  readonly ms: number;
}

/** @param tag of a slot of a cluster, where the sets are to lie */
export function knownIn({ hour, tag }: Pick<Announcement, 'hour' | 'tag'>): Known {
  const hours = tag === undefined ? HOURS : HOURS_IN_CLUSTER;
  const time = Math.floor(hour / hours);
  const name = (which: number) => `${ANNOUNCED_PREFIX}${tag === undefined ? '' : `{${tag}}:`}of:${which}`;
  return { sets: [name(time), name(time - 1)], ms: 2 * hours * HOUR_MS };
}

/**
 * What stands for one in such a set, by its last beat: who beats again and falls silent is another matter. A whole number of 64 bits, since
 * Redis keeps few of them in little memory.
 * @param how what sets it apart from the one that stands for a coordinator that has gone
 */
export function tokenOf({ heartbeat, beatAtSeconds }: Announced, how = ''): string {
  const digest = createHash('sha1').update(heartbeat).update(`\0${beatAtSeconds}${how}`).digest();
  return String(digest.readBigInt64BE());
}

function inBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Those of whom a transaction asks first whether it was said. */
export function askedOf({ coordinators }: Announcement): readonly Announced[] {
  return coordinators.filter(({ hasLapsed }) => hasLapsed);
}

/** What asks it: two questions for each. Their replies are what `ordersOf` takes. */
export function questionsOf(announcement: Announcement): readonly Order[] {
  return askedOf(announcement).flatMap((one) =>
    knownIn(announcement).sets.map((known): Order => ['sismember', [known, tokenOf(one)]]),
  );
}

/** The commands that say it, of whom it was not said before, for a transaction; none where there is nobody. */
export function ordersOf(announcement: Announcement, known: readonly Reply[]): readonly Order[] {
  const { where, once } = announcement;
  let at = 0;
  const coordinators = announcement.coordinators.filter(({ hasLapsed }) => {
    if (!hasLapsed) return true;
    at += 2;
    return known[at - 2] === 0 && known[at - 1] === 0;
  });
  if (coordinators.length === 0) return [];
  const message = messageOf({ ...announcement, coordinators });
  const say: Order =
    'channel' in where
      ? ['publish', [where.channel, message]]
      : ['xadd', [where.stream, 'MAXLEN', '~', where.maxLength, '*', MESSAGE_FIELD, message]];
  const { sets, ms } = knownIn(announcement);
  return [
    ...(once === null ? [] : [['set', [once, 'said', 'PX', ANNOUNCED_MS]] as const]),
    ['sadd', [sets[0], ...coordinators.map((one) => tokenOf(one))]],
    ['pexpire', [sets[0], ms]],
    say,
  ];
}
