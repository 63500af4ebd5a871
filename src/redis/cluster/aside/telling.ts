/** telling: says who of a chunk was swept, of each once, whatever slots their heartbeats are in.
 *
 *      on a channel   in the step that removes the heartbeats of one slot: a message for each
 *      in a stream    before the heartbeats go, since it lies in a slot of its own. What stands in a set for the last beat says that it was
 *                     said: a run that ends in between leaves the heartbeat, and the one that sweeps it finds that
 *      of the lapsed  before what is aside of theirs goes, of whom it was not said before
 */
import { randomBytes } from 'node:crypto';
import type { Announce } from '../../../config/values/removalValues.ts';
import { announce, type Marked } from '../../announce.ts';
import { asTaken, mostAtOnce } from '../../call/asTaken.ts';
import { Bulk } from '../../call/bulk.ts';
import {
  ANNOUNCED_PREFIX,
  type Announced,
  type Announcement,
  knownIn,
  MESSAGE_FIELD,
  messageOf,
  tokenOf,
} from '../../removal/announcement.ts';
import type { SweptHeartbeats } from '../../sweepHeartbeats.ts';
import { each } from '../calls/each.ts';
import { KeysBySlot, type Span } from '../calls/keysBySlot.ts';
import type { RoutedCalls } from '../calls/routedCalls.ts';
import { slotOf, slotOfText, tagOf } from '../calls/slots.ts';

/** Sets a coordinator whose heartbeat is still there apart from one that has gone. */
const ABOUT_TO_GO = ' is about to go';
const TOKEN_BYTES = 9;
/** So many are named in one entry of a stream: to say so takes Redis about 1 ms. */
const MOST_SAID = 400;
/** So many names go in one UNLINK. */
const MOST_FORGOTTEN = 256;

/** A key of a slot that says that something was announced. */
export function onceIn(slot: number): string {
  return `${ANNOUNCED_PREFIX}{${tagOf(slot)}}:${randomBytes(TOKEN_BYTES).toString('base64url')}`;
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
  readonly #lapsed: readonly Announced[];
  /** What says that it was said in a step. */
  readonly #onces = new Map<Span, string>();
  /** What says, in the stream's slot, that it was said of those whose heartbeats go. */
  readonly #tokens: string[] = [];

  constructor(
    private readonly calls: RoutedCalls,
    private readonly announcement: Announcement,
  ) {
    this.#stale = announcement.coordinators.filter(({ hasLapsed }) => !hasLapsed);
    this.#lapsed = announcement.coordinators.filter(({ hasLapsed }) => hasLapsed);
  }

  /** Says it of the lapsed, once all of theirs is aside: of whom nothing is left no later run would know. */
  async ofLapsed(): Promise<void> {
    const { where } = this.announcement;
    const bySlot = new Map<number, Announced[]>();
    for (const coordinator of this.#lapsed) {
      const slot = 'channel' in where ? slotOf(coordinator.heartbeat) : slotOfText(where.stream);
      const there = bySlot.get(slot);
      if (there === undefined) bySlot.set(slot, [coordinator]);
      else there.push(coordinator);
    }
    await each([...bySlot], async ([slot, coordinators]) => {
      await this.#say(
        slot,
        coordinators.map((coordinator) => ({ coordinator, token: tokenOf(coordinator) })),
      );
    });
  }

  /** Says it in a stream of those whose heartbeats are about to go. */
  async before(): Promise<void> {
    const { where } = this.announcement;
    if ('channel' in where) return;
    // Set apart: should the heartbeat come back from the trash, it is swept anew.
    const marked = this.#stale.map((coordinator) => ({ coordinator, token: tokenOf(coordinator, ABOUT_TO_GO) }));
    this.#tokens.push(...marked.map(({ token }) => token));
    await this.#say(slotOfText(where.stream), marked);
  }

  async #say(slot: number, marked: readonly Marked[]): Promise<void> {
    const here = { ...this.announcement, tag: tagOf(slot) };
    for (let at = 0; at < marked.length; at += MOST_SAID) {
      const some = marked.slice(at, at + MOST_SAID);
      await asTaken(this.calls, 'announce', some.length, async (from, to) => {
        await announce(this.calls, here, some.slice(from, to));
      });
    }
  }

  /** What is said on a channel as heartbeats go; the same whenever it is asked. @param places of these among those that go */
  of(step: Span, places: readonly number[]): SweptHeartbeats['announced'] {
    const { where } = this.announcement;
    if (!('channel' in where)) return null;
    const once = this.#onces.get(step) ?? onceIn(step.slot);
    this.#onces.set(step, once);
    const coordinators = places.map((place) => this.#stale[place] as Announced);
    const known = knownIn({ ...this.announcement, tag: tagOf(step.slot) });
    const tokens = coordinators.map((one) => tokenOf(one));
    return { channel: where.channel, message: messageOf({ ...this.announcement, coordinators }), once, known, tokens };
  }

  /** Removes what says that it was said, once no call of this chunk can come again. */
  async forget(): Promise<void> {
    const { where } = this.announcement;
    if ('stream' in where && this.#tokens.length > 0) {
      const [now] = knownIn({ ...this.announcement, tag: tagOf(slotOfText(where.stream)) }).sets;
      // What stays expires.
      await asTaken(this.calls, 'srem', this.#tokens.length, async (from, to) => {
        await this.calls.send('srem', [now, ...this.#tokens.slice(from, to)]);
      }).catch(() => {});
    }
    const names = Bulk.of([...this.#onces.values()]);
    const keys = new KeysBySlot([names]);
    const most = Math.min(MOST_FORGOTTEN, mostAtOnce(this.calls, 'unlink'));
    await this.calls.inBursts(keys.spansOf(keys.numbers, most), ({ slot }) => slot, {
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
