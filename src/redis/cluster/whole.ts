/** whole: a cluster as one place where a run asks and removes, whatever slots its things are in.
 *
 * What lies in one slot goes in one step, as on a single server. For the rest no step spans two slots, so:
 *
 *      read its heartbeats again ──▶ set its things aside, slot by slot ──▶ read the heartbeats once more
 *          │ one has changed                                                  │ one has changed: put back   │ all are as judged
 *          ▼                                                                  ▼                              ▼
 *       nothing is touched                                                 nothing is lost               removed; heartbeats last,
 *                                                                                                        each compared in its slot
 *
 *  Promises  what is removed had been taken while its owner was still as stale as it was judged (P1); a run that ends anywhere leaves
 *            things aside that the next one puts back (leftAside), with the heartbeats by which they are judged anew (P3).
 */
import type { Clock } from '../../domain/heartbeat.ts';
import { ordersOf } from '../announcement.ts';
import { Bulk } from '../bulk.ts';
import type { Rest } from '../call/rest.ts';
import type { Stopwatch } from '../call/stopwatch.ts';
import { proofOf } from '../kinds/proof.ts';
import type { OrphanChunk, OrphanResult } from '../orphans.ts';
import { keysIn, type SweepChunk, type SweepResult } from '../sweep.ts';
import type { Kind, Sizes } from '../target/paces.ts';
import type { Place } from '../target/place.ts';
import { Aside, each } from './aside.ts';
import { LeftAside } from './leftAside.ts';
import type { Members } from './members.ts';
import { RoutedCalls } from './routedCalls.ts';
import { hasTag, slotOf, slotOfText } from './slots.ts';

/**
 * A chunk is cut into calls slot by slot, so its own size is no matter of how long a call takes, but of how many keys of a slot go in
 * one: of 16,384 slots a few each. The larger, the longer what belongs to somebody who comes back meanwhile is out of sight: this many
 * take some tenths of a second.
 */
const CHUNK_KEYS = 100_000;
const READ_AT_ONCE = 2_000;
const MOST_PROOFS = 1_000_000;

const fixed = (size: number) => ({ size, isLeast: true });
/** Each node has paces of its own. */
const SIZES: Sizes = { scan: fixed(READ_AT_ONCE), read: fixed(READ_AT_ONCE), sweep: fixed(CHUNK_KEYS), tell: () => {} };

type Changed = SweepResult & { readonly swept: false };

export class Whole implements Place {
  readonly calls: RoutedCalls;
  readonly paces = SIZES;
  readonly lanes = 1;
  readonly strategy = 'cluster';
  readonly mostKeys = CHUNK_KEYS;
  readonly mostProofs = MOST_PROOFS;
  readonly keyspace: number;
  readonly #left: LeftAside;

  /** @param clock that of all nodes together */
  constructor(
    private readonly members: Members,
    readonly clock: Clock,
    rest: Rest,
    stopwatch: Stopwatch,
    private readonly warn: (sentence: string) => void,
  ) {
    this.calls = new RoutedCalls(members, rest, stopwatch);
    this.keyspace = members.nodes.reduce((sum, { keyspace }) => sum + keyspace, 0);
    this.#left = new LeftAside(members, this.calls, clock.nowSeconds);
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
    if (back > 0) this.warn(`put back ${back} keys that a run had set aside which did not end`);
    this.#tellTaken(taken);
  }

  async sweep(chunk: SweepChunk): Promise<SweepResult> {
    const startedAt = performance.now();
    const slot = onlySlotOf(chunk);
    const isOneStep = slot !== null && keysIn(chunk) <= 2 * (this.members.holdersOf(slot)[0]?.paces.sweep.size ?? 0);
    const result = isOneStep ? await this.#inOneSlot(slot, chunk) : await this.#acrossSlots(chunk);
    return { ...result, ms: performance.now() - startedAt };
  }

  async #inOneSlot(slot: number, chunk: SweepChunk): Promise<SweepResult> {
    const silent = { ...chunk, announcement: null };
    const result = await this.members.at(slot, async (node) => {
      const swept = await node.sweep(silent);
      node.paces.tell('sweep', keysIn(silent), swept.ms);
      return swept;
    });
    if (result.swept) await this.#announce(chunk);
    return result;
  }

  async #acrossSlots(chunk: SweepChunk): Promise<SweepResult> {
    const before = await this.#changedIn(chunk);
    if (before !== null) return before;
    const families = chunk.families.map((keys) => keys.texts());
    const aside = new Aside(this.members, this.calls, families.flat());
    return await this.#settled(aside, async () => {
      const were = await aside.set();
      const after = await this.#changedIn(chunk);
      if (after !== null) {
        this.#tellTaken(await aside.putBack());
        return after;
      }
      const isWhole = await aside.remove();
      await this.#announce(chunk);
      const heartbeats = isWhole ? await this.#sweepHeartbeats(chunk) : 0;
      return { swept: true, heartbeats, ms: 0, ...countsOf(families, were, chunk.told) };
    });
  }

  async sweepOrphans({ absent, families, idleSeconds }: OrphanChunk): Promise<OrphanResult> {
    const before = await this.#bornOf(absent);
    if (before.length > 0) return { swept: false, born: before, ms: 0 };
    const aside = new Aside(this.members, this.calls, families.flat());
    return await this.#settled(aside, async () => {
      const were = await aside.set(idleSeconds);
      const born = await this.#bornOf(absent);
      if (born.length > 0) {
        this.#tellTaken(await aside.putBack());
        return { swept: false, born, ms: 0 };
      }
      await aside.remove();
      return { swept: true, ms: 0, removed: countsOf(families, were, []).removed };
    });
  }

  /** Does what sets things aside; when that fails, puts back what it can. */
  async #settled<T>(aside: Aside, work: () => Promise<T>): Promise<T> {
    await this.#left.enter();
    let result: T;
    try {
      result = await work();
    } catch (error) {
      // What can't be put back now the next run will; this one has failed.
      const isBack = await aside.putBack().then(
        () => true,
        () => false,
      );
      if (isBack) await this.#left.leave().catch(() => {});
      throw error;
    }
    await this.#left.leave();
    return result;
  }

  /** Which heartbeats are not as the chunk says; `null`: all are. */
  async #changedIn({ judged, absent }: SweepChunk): Promise<Changed | null> {
    const proofs = buffersIn(judged.proofs);
    const { reply } = await this.calls.send('mget', [judged.keys], null);
    const values = reply as (Buffer | null)[];
    const changed = values.flatMap((value, i) =>
      value !== null && proofOf(value).equals(proofs[i] as Buffer) ? [] : [i],
    );
    const revived: number[] = [];
    const vanished: number[] = [];
    if (changed.length > 0) {
      const keys = judged.keys.texts();
      await each(changed, async (i) => {
        // MGET says the same of what is no string.
        const { reply: exists } = await this.calls.send('exists', [keys[i] as string]);
        (exists === 0 ? vanished : revived).push(i);
      });
    }
    const born = absent.count === 0 ? [] : await this.#bornOf(absent.texts());
    if (revived.length + vanished.length + born.length === 0) return null;
    return { swept: false, revived, vanished, born, ms: 0 };
  }

  /** The positions of those that exist. */
  async #bornOf(heartbeats: readonly string[]): Promise<readonly number[]> {
    if (heartbeats.length === 0) return [];
    const all = Bulk.of(heartbeats);
    const { reply } = await this.calls.send('exists', [all]);
    all.clear();
    if (reply === 0) return [];
    const born: number[] = [];
    await each([...heartbeats.keys()], async (i) => {
      const { reply: exists } = await this.calls.send('exists', [heartbeats[i] as string]);
      if (exists === 1) born.push(i);
    });
    return born;
  }

  /** Removes those heartbeats of a chunk that go and are as they were judged; to how many went. */
  async #sweepHeartbeats({ judged, heartbeats }: SweepChunk): Promise<number> {
    const keys = judged.keys.texts().slice(0, heartbeats);
    const proofs = judged.proofs.texts();
    const slots = new Map<number, number[]>();
    for (const [i, key] of keys.entries()) {
      const slot = slotOfText(key);
      const known = slots.get(slot);
      if (known === undefined) slots.set(slot, [i]);
      else known.push(i);
    }
    let removed = 0;
    await each([...slots], async ([slot, all]) => {
      for (let left: readonly number[] = all; left.length > 0; ) {
        const most = this.members.holdersOf(slot)[0]?.paces.sweep.size ?? 1;
        const some = left.slice(0, most);
        left = left.slice(most);
        const unchanged = await this.#sweepSome(
          slot,
          some.map((i) => keys[i] as string),
          some.map((i) => proofs[i] as string),
        );
        removed += unchanged;
      }
    });
    return removed;
  }

  async #sweepSome(slot: number, keys: readonly string[], proofs: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const chunk = {
      judged: { keys: Bulk.of(keys), proofs: Bulk.of(proofs) },
      absent: new Bulk(),
      families: [],
      told: [],
      heartbeats: keys.length,
    };
    const result = await this.members.at(slot, async (node) => await node.sweep(chunk));
    if (result.swept) return result.heartbeats;
    // Whoever beat again had been swept by then: it begins anew.
    const changed = new Set([...result.revived, ...result.vanished]);
    if (changed.size === 0) {
      const half = Math.ceil(keys.length / 2);
      const first = await this.#sweepSome(slot, keys.slice(0, half), proofs.slice(0, half));
      return first + (await this.#sweepSome(slot, keys.slice(half), proofs.slice(half)));
    }
    const unchanged = <T>(list: readonly T[]) => list.filter((_, i) => !changed.has(i));
    return await this.#sweepSome(slot, unchanged(keys), unchanged(proofs));
  }

  async #announce({ announcement = null }: SweepChunk): Promise<void> {
    if (announcement === null) return;
    for (const [name, args] of ordersOf({ ...announcement, once: null })) await this.calls.send(name, args);
  }

  #tellTaken(names: readonly string[]): void {
    if (names.length === 0) return;
    const [one = ''] = names;
    const shown = JSON.stringify(Buffer.from(one, 'latin1').toString());
    this.warn(
      `${names.length} keys, ${shown} among them, were written anew while what stood there was set aside; that stays aside for a day`,
    );
  }
}

/** The slot of everything that a chunk names; `null`, where they are several. */
function onlySlotOf({ judged, absent, families }: SweepChunk): number | null {
  let only: number | null = null;
  let several = false;
  for (const bulk of [judged.keys, absent, ...families]) {
    bulk.forEach((bytes, from, to) => {
      if (several) return;
      const slot = slotOf(bytes, from, to);
      only ??= slot;
      several = slot !== only;
    });
    if (several) return null;
  }
  return only;
}

function buffersIn(bulk: Bulk): readonly Buffer[] {
  return bulk.texts().map((text) => Buffer.from(text, 'latin1'));
}

/** How many of each family were there; and the positions, all families counted through, of those that were not, where told. */
function countsOf(
  families: readonly (readonly string[])[],
  were: readonly boolean[],
  told: readonly boolean[],
): { readonly removed: readonly number[]; readonly missing: readonly number[] } {
  const removed: number[] = [];
  const missing: number[] = [];
  let place = 0;
  for (const [family, keys] of families.entries()) {
    let count = 0;
    for (const _ of keys) {
      if (were[place]) count++;
      else if (told[family]) missing.push(place);
      place++;
    }
    removed.push(count);
  }
  return { removed, missing };
}
