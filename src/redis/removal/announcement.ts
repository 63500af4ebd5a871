/** announcement: who was swept, said in the step that removes their last things. */
import type { Announce } from '../../config/values/removalValues.ts';
import type { Order } from '../call/wire.ts';

export interface Announcement {
  readonly where: Announce;
  /** JSON, as a byte string. */
  readonly message: string;
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

/** The commands that say it, for a transaction. */
export function ordersOf({ where, message, once }: Announcement): readonly Order[] {
  const say: Order =
    'channel' in where
      ? ['publish', [where.channel, message]]
      : ['xadd', [where.stream, 'MAXLEN', '~', where.maxLength, '*', MESSAGE_FIELD, message]];
  return once === null ? [say] : [['set', [once, 'said', 'PX', ANNOUNCED_MS]], say];
}
