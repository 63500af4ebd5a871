/** telling: says who of a chunk was swept, of each once, whatever slots their heartbeats are in.
 *
 *      on a channel   in the step that removes the heartbeats of one slot: a message for each
 *      in a stream    before the heartbeats go, since it lies in a slot of its own. A key that names the last beat says that it was
 *                     said: a run that ends in between leaves the heartbeat, and the one that sweeps it finds that key
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Announce } from '../../../config/values/removalValues.ts';
import { announce, type Marked } from '../../announce.ts';
import { Bulk } from '../../call/bulk.ts';
import {
  ANNOUNCED_PREFIX,
  type Announced,
  type Announcement,
  MESSAGE_FIELD,
  messageOf,
} from '../../removal/announcement.ts';
import type { SweptHeartbeats } from '../../sweepHeartbeats.ts';
import { KeysBySlot, type Span } from '../calls/keysBySlot.ts';
import type { RoutedCalls } from '../calls/routedCalls.ts';
import { slotOf, slotOfText, tagOf } from '../calls/slots.ts';

const TOKEN_BYTES = 9;
/** So many are named in one entry of a stream: to say so takes Redis about 1 ms. */
const MOST_SAID = 400;
/** So many names go in one UNLINK. */
const MOST_FORGOTTEN = 256;

/** A key of a slot that says that something was announced. */
export function onceIn(slot: number): string {
  return markIn(slot, randomBytes(TOKEN_BYTES).toString('base64url'));
}

function markIn(slot: number, token: string): string {
  return `${ANNOUNCED_PREFIX}{${tagOf(slot)}}:${token}`;
}

/** Whether it can be said in one step with what lies in a slot. */
export function canBeSaidIn(slot: number, where: Announce): boolean {
  return 'channel' in where || slotOfText(where.stream) === slot;
}

/** What can't be said for as long as something does not change; where memory is full there is room once things have gone. */
const UNSAID = /^(?:NOPERM|WRONGTYPE)\b/;

/**
 * Before anything is taken: who may not say whom it sweeps, is to sweep nobody. On a channel a message that names nobody shows it; to a
 * stream nothing is added, since its first number has passed, or there is none; or it is empty, and stays so. Rejects with the error of
 * Redis.
 */
export async function insistOnSaying(calls: RoutedCalls, announcement: Announcement): Promise<void> {
  const { where } = announcement;
  const nobody = messageOf({ ...announcement, coordinators: [] });
  if ('channel' in where) {
    await calls.send('publish', [where.channel, nobody]);
    return;
  }
  const order = [where.stream, 'NOMKSTREAM', 'MAXLEN', 0, '0-1', MESSAGE_FIELD, nobody] as const;
  await calls.send('xadd', order).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === 'ReplyError') || UNSAID.test(error.message)) throw error;
  });
}

/** What is said of one chunk. */
export class Telling {
  /** Whose heartbeats go, in the order of these. */
  readonly #stale: readonly Announced[];
  /** Who is named in a step beside those whose heartbeats go in it. */
  readonly #lapsed = new Map<Span, Announced[]>();
  /** What says that it was said in a step. */
  readonly #onces = new Map<Span, string>();
  #marks: readonly string[] = [];

  constructor(
    private readonly calls: RoutedCalls,
    private readonly announcement: Announcement,
  ) {
    this.#stale = announcement.coordinators.filter(({ hasLapsed }) => !hasLapsed);
  }

  /** Says it in a stream. */
  async before(): Promise<void> {
    const { where, coordinators } = this.announcement;
    if ('channel' in where) return;
    const slot = slotOfText(where.stream);
    const marked = coordinators.map((coordinator): Marked => {
      const { heartbeat, beatAtSeconds } = coordinator;
      // The beat, not what proves it: that of one who lapses meanwhile is gone, and who lapses again is another matter.
      const digest = createHash('sha1').update(heartbeat).update(`\0${beatAtSeconds}`);
      return { coordinator, mark: markIn(slot, digest.digest('base64url')) };
    });
    this.#marks = marked.map(({ mark }) => mark);
    for (let from = 0; from < marked.length; from += MOST_SAID) {
      await announce(this.calls, where, this.announcement, marked.slice(from, from + MOST_SAID));
    }
  }

  /** The steps in which it is said on a channel: these, by which heartbeats go, and others for those who have none any more. */
  stepsFrom(steps: readonly Span[]): readonly Span[] {
    if (!('channel' in this.announcement.where)) return steps;
    const bySlot = new Map(steps.map((step) => [step.slot, step]));
    for (const coordinator of this.announcement.coordinators.filter(({ hasLapsed }) => hasLapsed)) {
      const slot = slotOf(coordinator.heartbeat);
      const step = bySlot.get(slot) ?? { slot, numbers: [] };
      bySlot.set(slot, step);
      this.#lapsed.set(step, [...(this.#lapsed.get(step) ?? []), coordinator]);
    }
    return [...new Set([...steps, ...bySlot.values()])];
  }

  /** What is said in one of these; the same whenever it is asked. @param places of its heartbeats among those that go */
  of(step: Span, places: readonly number[]): SweptHeartbeats['announced'] {
    const { where } = this.announcement;
    if (!('channel' in where)) return null;
    const once = this.#onces.get(step) ?? onceIn(step.slot);
    this.#onces.set(step, once);
    const coordinators = [...places.map((place) => this.#stale[place] as Announced), ...(this.#lapsed.get(step) ?? [])];
    return { channel: where.channel, message: messageOf({ ...this.announcement, coordinators }), once };
  }

  /** Removes what says that it was said, once no call of this chunk can come again. */
  async forget(): Promise<void> {
    const names = Bulk.of([...this.#onces.values(), ...this.#marks]);
    const keys = new KeysBySlot([names]);
    await this.calls.inBursts(keys.spansOf(keys.numbers, MOST_FORGOTTEN), ({ slot }) => slot, {
      name: 'unlink',
      spell: (burst, { numbers }) => {
        burst.open(numbers.length);
        for (const number of numbers) keys.addTo(burst.commands, number);
      },
      // What stays expires.
      take: () => true,
    });
    names.clear();
  }
}
