/** whole: a cluster as one place where a run asks and removes, whatever slots its things are in.
 *
 * What lies in one slot goes in one step, as on a single server. For the rest no step spans two slots, so:
 *
 *      read its heartbeats again ──▶ set its things aside, slot by slot ──▶ read the heartbeats once more
 *          │ one has changed                                                  │ one has changed: put back   │ all are as judged
 *          ▼                                                                  ▼                              ▼
 *       nothing is touched                                                 nothing is lost               removed; once replicas have
 *                                                                                                        heard of it heartbeats, each
 *                                                                                                        compared in its slot
 *
 *  What is removed goes for good, or to the trash, in the slot where it lies; who was swept is said with the heartbeats.
 *
 *  Promises  what is removed had been taken while its owner was still as stale as it was judged (P1); a run that ends anywhere leaves
 *            things aside that the next one puts back (leftAside), with the heartbeats by which they are judged anew (P3).
 */
import { textOf } from '../../domain/nameText.ts';
import type { Clock } from '../../domain/heartbeat.ts';
import { Bulk } from '../call/bulk.ts';
import type { Rest } from '../call/rest.ts';
import type { Stopwatch } from '../call/stopwatch.ts';
import type { OrphanChunk, OrphanResult } from '../orphans.ts';
import type { Kind, Sizes } from '../pace/paces.ts';
import { keysIn, type SweepChunk, type SweepResult } from '../sweep.ts';
import type { NodeWishes } from '../target/node.ts';
import type { Place } from '../target/place.ts';
import { Aside } from './aside/aside.ts';
import { bornOf, Heartbeats } from './aside/heartbeats.ts';
import { LeftAside } from './aside/leftAside.ts';
import { canBeSaidIn, insistOnSaying, onceIn, Telling } from './aside/telling.ts';
import { putBackMeanwhile, unfollowed } from './aside/unsettled.ts';
import { KeysBySlot } from './calls/keysBySlot.ts';
import { RoutedCalls } from './calls/routedCalls.ts';
import { hasTag, slotOf, tagOf } from './calls/slots.ts';
import { countsOf, onlySlotOf } from './chunk.ts';
import { areFollowed, insistOnSame } from './nodes/followers.ts';
import type { Members } from './nodes/members.ts';

/**
 * A chunk goes in small calls, slot by slot, so its own size is no matter of how long one takes, but of how many keys of a slot go in
 * one: of 16,384 slots a few each. The larger, the longer what belongs to somebody who comes back meanwhile is out of sight: this many
 * take half a second or so. Who is to rest between calls takes fewer at a time.
 */
const CHUNK_KEYS = 60_000;
const READ_AT_ONCE = 2_000;
const MOST_PROOFS = 1_000_000;

function fixed(size: number) {
  return { size, isLeast: true, most: size };
}

export class Whole implements Place {
  readonly calls: RoutedCalls;
  /** Each node has paces of its own. */
  readonly paces: Sizes;
  readonly lanes = 1;
  readonly strategy = 'cluster';
  readonly mostKeys: number;
  readonly mostProofs = MOST_PROOFS;
  readonly keyspace: number;
  readonly #left: LeftAside;
  #maySay: Promise<void> | null = null;

  /** @param clock that of all nodes together */
  constructor(
    private readonly members: Members,
    readonly clock: Clock,
    rest: Rest,
    stopwatch: Stopwatch,
    private readonly wishes: Pick<NodeWishes, 'warn' | 'signal'>,
  ) {
    this.calls = new RoutedCalls(members, rest, stopwatch);
    this.mostKeys = Math.ceil(CHUNK_KEYS / (1 + rest.nice));
    const read = fixed(READ_AT_ONCE);
    this.paces = { scan: read, read, sweep: fixed(this.mostKeys), tell: () => {} };
    this.keyspace = members.nodes.reduce((sum, { keyspace }) => sum + keyspace, 0);
    this.#left = new LeftAside(members, this.calls, clock.nowSeconds, wishes.signal);
  }

  homeOf(heartbeat: Uint8Array): number | null {
    return hasTag(heartbeat) ? slotOf(heartbeat) : null;
  }

  /** Each call is tried again by itself. */
  async steadily<T>(_: Kind, attempt: () => Promise<T>): Promise<T> {
    return await attempt();
  }

  /** Puts back what killed runs left aside. Before a run that may write looks at anything. */
  async settleLeft(): Promise<void> {
    const { back, taken } = await this.#left.settle();
    if (back > 0) this.wishes.warn(`put back ${back} keys that a run had set aside which did not end`);
    this.#tellTaken(taken);
  }

  async sweep(chunk: SweepChunk): Promise<SweepResult> {
    const startedAt = performance.now();
    const slot = onlySlotOf(chunk);
    const result =
      slot !== null && this.#fitsOneStep(slot, chunk)
        ? await this.#inOneSlot(slot, chunk)
        : await this.#acrossSlots(chunk);
    return { ...result, ms: performance.now() - startedAt };
  }

  #fitsOneStep(slot: number, chunk: SweepChunk): boolean {
    const { announcement = null } = chunk;
    if (announcement !== null && !canBeSaidIn(slot, announcement.where)) return false;
    return (chunk.weight ?? keysIn(chunk)) <= 2 * (this.members.holdersOf(slot)[0]?.paces.sweep.size ?? 0);
  }

  async #inOneSlot(slot: number, chunk: SweepChunk): Promise<SweepResult> {
    const { trash = null, announcement = null } = chunk;
    const here: SweepChunk = {
      ...chunk,
      trash: trash?.in(tagOf(slot)) ?? null,
      announcement: announcement && {
        ...announcement,
        tag: tagOf(slot),
        once: announcement.once && onceIn(slot),
      },
    };
    return await this.members.at(slot, async (node) => {
      const swept = await node.sweep(here);
      node.paces.tell('sweep', keysIn(here), swept.ms);
      return swept;
    });
  }

  async #acrossSlots(chunk: SweepChunk): Promise<SweepResult> {
    const { trash = null, announcement = null } = chunk;
    const heartbeats = new Heartbeats(this.calls, chunk);
    const before = await heartbeats.changed();
    if (before !== null) return before;
    if (announcement !== null) {
      this.#maySay ??= insistOnSaying(this.calls, announcement);
      await this.#maySay;
    }
    const aside = new Aside(this.calls, new KeysBySlot(chunk.families), this.#left);
    const telling = announcement === null ? null : new Telling(this.calls, announcement);
    const { lostCount } = this.calls;
    let swept = 0;
    const take = async () => {
      const were = await aside.set();
      const after = await heartbeats.changed();
      if (after === null) {
        await insistOnSame(this.members.nodes);
        await telling?.ofLapsed();
        const back = await aside.remove(trash);
        for (const place of back) were[place] = false;
        return { after, isWhole: back.length === 0, were };
      }
      this.#tellTaken(await aside.putBack());
      return { after };
    };
    const { result, outlasts } = await this.#settled(aside, take, async ({ isWhole = false }) => {
      // What could not be removed the next run finds, and says so.
      if (!isWhole) return;
      await telling?.before();
      swept = await heartbeats.sweep(telling, this.#left);
      // What was lost may come yet, and is not to say it again.
      if (this.calls.lostCount === lostCount) await telling?.forget();
    });
    if (result.after !== null) return result.after;
    const unsettled = !outlasts ? unfollowed() : result.isWhole ? null : putBackMeanwhile();
    return {
      swept: true,
      heartbeats: swept,
      ms: 0,
      ...countsOf(chunk.families, result.were, chunk.told),
      ...(unsettled === null ? {} : { unsettled }),
    };
  }

  async sweepOrphans({ absent, families, idleSeconds, trash = null }: OrphanChunk): Promise<OrphanResult> {
    const [owners, ...orphans] = [absent, ...families].map((names) => Bulk.of(names)) as [Bulk, ...Bulk[]];
    try {
      const heartbeats = new KeysBySlot([owners]);
      const before = await bornOf(this.calls, heartbeats);
      if (before.length > 0) return { swept: false, born: before, ms: 0 };
      const aside = new Aside(this.calls, new KeysBySlot(orphans), this.#left);
      const { result } = await this.#settled(aside, async (): Promise<OrphanResult> => {
        const were = await aside.set(idleSeconds);
        const born = await bornOf(this.calls, heartbeats);
        if (born.length > 0) {
          this.#tellTaken(await aside.putBack());
          return { swept: false, born, ms: 0 };
        }
        await insistOnSame(this.members.nodes);
        for (const place of await aside.remove(trash)) were[place] = false;
        return { swept: true, ms: 0, removed: countsOf(orphans, were, []).removed };
      });
      return result;
    } finally {
      for (const names of [owners, ...orphans]) names.clear();
    }
  }

  /**
   * Does what sets things aside; when that fails, puts back what it can. Resolves also to whether what was done outlasts the loss of
   * any node where it was.
   * @param lastly done after it where that is so, while whoever restores still waits: what comes back before its owner's heartbeat goes
   * would be nobody's
   */
  async #settled<T>(
    aside: Aside,
    work: () => Promise<T>,
    lastly: (result: T) => Promise<void> = async () => {},
  ): Promise<{ readonly result: T; readonly outlasts: boolean }> {
    await this.#left.enter();
    let result: T;
    let outlasts: boolean;
    try {
      result = await work();
      outlasts = await this.#outlasts(aside);
      if (outlasts) await lastly(result);
    } catch (error) {
      // What can't be put back now the next run will; this one has failed.
      const isBack = await aside
        .putBack()
        .then(async () => await this.#outlasts(aside))
        .catch(() => false);
      if (!isBack || aside.isInDoubt) await this.#left.leaveWord();
      else await this.#left.leave().catch(() => {});
      throw error;
    }
    // What a lost call, or a replica that has not heard of the last one, may yet leave aside the next run is to look for.
    if (aside.isInDoubt || !outlasts) await this.#left.leaveWord();
    else await this.#left.leave();
    return { result, outlasts };
  }

  async #outlasts({ slots }: Aside): Promise<boolean> {
    const nodes = new Set([...slots].flatMap((slot) => this.members.ownerOf(slot) ?? []));
    return await areFollowed(nodes, () => {
      this.wishes.warn(
        "WAIT may not be asked: should a node of the cluster fail over within a moment, things of who was swept may come back, and be nobody's; grant the user +wait",
      );
    });
  }

  #tellTaken(names: readonly string[]): void {
    if (names.length === 0) return;
    const [one = ''] = names;
    const shown = JSON.stringify(textOf(Buffer.from(one, 'latin1')));
    this.wishes.warn(
      `${names.length} keys, ${shown} among them, were written anew while what stood there was set aside; that stays aside for a day`,
    );
  }
}
