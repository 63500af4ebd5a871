/** announcement: who was swept, said in the step that removes their last things. */
import type { Announce } from '../../config/values/removalValues.ts';
import type { Order } from '../call/wire.ts';

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
  readonly coordinators: readonly Announced[];
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

function inBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** The commands that say it, for a transaction. */
export function ordersOf(announcement: Announcement): readonly Order[] {
  const { where, once } = announcement;
  const message = messageOf(announcement);
  const say: Order =
    'channel' in where
      ? ['publish', [where.channel, message]]
      : ['xadd', [where.stream, 'MAXLEN', '~', where.maxLength, '*', MESSAGE_FIELD, message]];
  return once === null ? [say] : [['set', [once, 'said', 'PX', ANNOUNCED_MS]], say];
}
