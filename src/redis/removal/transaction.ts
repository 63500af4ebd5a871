/** transaction: what the scripts of `lua/` do, for a Redis that takes none: WATCH, look, MULTI, UNLINK, EXEC.
 *  Owns      one connection of its own, used by one chunk at a time: EXEC and DISCARD end every WATCH of a connection.
 *  Promises  as the scripts: EXEC removes nothing when a watched key was touched after the look (P1), and everything in
 *            one step, heartbeats last (P3).
 *  Limits    idle times can't be watched: an orphan that is only read between look and EXEC, a round trip later, goes. Nor are
 *            the keys themselves: one whose time to live changes in between is kept in the trash with what it had before.
 *
 * MULTI travels with the look and is seen to be accepted before any UNLINK is sent: were it refused (an ACL that changed),
 * the UNLINKs sent along with it would run by themselves, without proof.
 */
import type { Redis } from '../connection/ioredis.ts';
import { askedOf, knownIn, ordersOf, questionsOf } from './announcement.ts';
import { isForMemory } from '../call/answerCode.ts';
import { Bulk } from '../call/bulk.ts';
import { mayHaveBeenDone } from '../call/lost.ts';
import type { Order, Reply } from '../call/wire.ts';
import type { Calls } from '../call/calls.ts';
import { existing, SHARED_VALUE } from '../keyspace/keyspace.ts';
import { Execution, firstError, type Step } from './execution.ts';
import { isProofOf } from '../kinds/proof.ts';
import { asUndone } from '../rights/tooLarge.ts';
import type { OrphanChunk, OrphanResult } from '../orphans.ts';
import { countsOf, questionsFor, removalOf, type Steps, wasGone } from './removals.ts';
import { goingOf, type SweepChunk, type SweepResult } from '../sweep.ts';

/** WATCH compares each key with those watched before: 400 take Redis about 1 ms, 1,000 about 5, 7,900 some 280. */
export const MOST_KEYS_WATCHED = 1_000;

/** How often a chunk is looked at again when a watched key was touched, yet nothing is seen to have changed. */
const LOOKS = 5;

interface Look<T> {
  readonly watched: readonly Bulk[];
  /** What is asked after WATCH and before MULTI. */
  readonly questions: readonly Order[];
  /** What removes the keys, list by list, or why none may go; `null` when that has passed meanwhile: look again. */
  readonly decide: (replies: readonly Reply[]) => Promise<Removal | { instead: T } | null>;
}

interface Removal {
  /** What is done in the same step, before. */
  readonly before: readonly Order[];
  readonly steps: readonly Steps[];
}

type Settled<T> = { readonly removed: readonly number[] } | { readonly instead: T };

function isProof(proof: string, value: string | null | undefined): boolean {
  return typeof value === 'string' && isProofOf(Buffer.from(proof, 'latin1'), Buffer.from(value, 'latin1'));
}

/** What each family lost, and the positions of those keys that were not there, of the families that were to be told. */
function countsIn(counts: readonly number[], families: readonly Bulk[], told: readonly boolean[]) {
  const missing: number[] = [];
  let list = 0;
  let position = 0;
  const removed = families.map((names, family) => {
    const lists = counts.slice(list, list + (told[family] ? names.count : 1));
    list += lists.length;
    if (told[family]) missing.push(...lists.flatMap((count, at) => (count === 0 ? [position + at] : [])));
    position += names.count;
    return lists.reduce((sum, count) => sum + count, 0);
  });
  return { removed, missing };
}

/** What made Redis refuse: EXEC answers for others. */
function causeOf(error: Error): Error {
  if (isForMemory(error)) {
    const advice = 'free memory, or grant +eval +evalsha, since scripts may still remove keys';
    return new Error(`Redis' memory is full, and then it refuses such transactions; ${advice}`, { cause: error });
  }
  const because = /^EXECABORT Transaction discarded because of: (.*)/s.exec(error.message)?.[1];
  return because === undefined ? error : new Error(because, { cause: error });
}

export class Transactions {
  #connection: Promise<Redis> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  readonly #execution = new Execution();

  /** @param connectBeside opens a second connection to the server to which `calls` go; whoever does so closes it */
  constructor(
    private readonly calls: Calls,
    private readonly connectBeside: () => Promise<Redis>,
  ) {}

  /** As `sweep` of `sweep.ts`. */
  async sweep(chunk: SweepChunk): Promise<SweepResult> {
    const { judged, absent, families, told, trash = null, announcement = null } = chunk;
    const { keys, proofs } = judged;
    const once = announcement?.once ?? null;
    // A list for each key where it is to be told which were not there.
    const listsOf = (names: Bulk, family: number) =>
      told[family] ? names.texts().map((name) => Bulk.of([name])) : [names];
    const lists = [...families.flatMap(listsOf), goingOf(chunk)];
    const lives = questionsFor(trash, lists);
    const asked = announcement === null ? [] : questionsOf(announcement);
    const known = announcement === null || askedOf(announcement).length === 0 ? [] : knownIn(announcement).sets;
    const { ms, ...settled } = await this.#inTurn(() => ({
      watched: [keys, absent, Bulk.of([...known, ...(once === null ? [] : [once])])],
      questions: [
        ...(keys.count > 0 ? [['mget', [keys]] as const] : []),
        ...lives,
        ...asked,
        ...(once === null ? [] : [['exists', [once]] as const]),
        ...(absent.count > 0 ? [['exists', [absent]] as const] : []),
      ],
      decide: async (replies) => {
        const now = keys.count > 0 ? (replies[0] as (string | null)[]) : [];
        const changed = proofs.texts().flatMap((proof, at) => (isProof(proof, now[at]) ? [] : [at]));
        const someBorn = absent.count > 0 && replies.at(-1) !== 0;
        const born = someBorn ? await this.#existing(absent) : [];
        if (changed.length > 0 || born.length > 0) return { instead: { ...(await this.#told(changed, keys)), born } };
        if (someBorn) return null;
        const from = keys.count > 0 ? 1 : 0;
        const { before, steps } = removalOf(trash, lists, replies.slice(from, from + lives.length));
        const after = from + lives.length + asked.length;
        const wasSaid = once !== null && replies[after] !== 0;
        const answers = replies.slice(from + lives.length, after);
        const said = announcement === null || wasSaid ? [] : ordersOf(announcement, answers);
        return { before: [...said, ...before], steps };
      },
    }));
    if ('instead' in settled) return { swept: false, ...settled.instead, ms };
    return { swept: true, ...countsIn(settled.removed, families, told), heartbeats: settled.removed.at(-1) ?? 0, ms };
  }

  /** As `sweepOrphans` of `orphans.ts`. */
  async sweepOrphans(chunk: OrphanChunk): Promise<OrphanResult> {
    const { idleSeconds, trash = null } = chunk;
    const absent = Bulk.of(chunk.absent);
    // What is seen to be in use stays, and is watched no more: who writes it all the time would let every EXEC fail.
    let { families } = chunk;
    const { ms, ...settled } = await this.#inTurn<{ born: readonly number[] }>(() => {
      const keys = families.flat();
      const lives = questionsFor(trash, [Bulk.of(keys)]);
      return {
        watched: [absent, Bulk.of(keys)],
        questions: [
          ...keys.map((key) => ['object', ['IDLETIME', key]] as const),
          ...keys.map((key) => ['object', ['REFCOUNT', key]] as const),
          ...lives,
          ...(absent.count > 0 ? [['exists', [absent]] as const] : []),
        ],
        decide: async (replies) => {
          if (absent.count > 0 && replies.at(-1) !== 0) {
            const born = await this.#existing(absent);
            return born.length > 0 ? { instead: { born } } : null;
          }
          const isIdle = keys.map((_, at) => {
            const [seconds, references] = [replies[at], replies[keys.length + at]];
            return Number(seconds) > idleSeconds && references !== SHARED_VALUE;
          });
          let at = 0;
          families = families.map((family) => family.filter(() => isIdle[at++]));
          const left = replies.slice(2 * keys.length, 2 * keys.length + lives.length).filter((_, i) => isIdle[i]);
          const lists = families.map((family) => Bulk.of(family));
          return removalOf(trash, lists, left);
        },
      };
    });
    return 'instead' in settled ? { swept: false, ...settled.instead, ms } : { swept: true, ...settled, ms };
  }

  /** Positions of the keys that exist. */
  async #existing(keys: Bulk): Promise<readonly number[]> {
    const names = keys.texts().map((key) => Buffer.from(key, 'latin1'));
    return (await existing(this.calls, names)).flatMap((exists, at) => (exists ? [at] : []));
  }

  /** MGET answers nil for a key that is not a string, as for a missing one; EXISTS tells them apart. */
  async #told(changed: readonly number[], heartbeats: Bulk) {
    const names = changed.length > 0 ? heartbeats.texts() : [];
    const there = new Set((await this.#existing(Bulk.of(changed.map((at) => names[at] ?? '')))).map((i) => changed[i]));
    return { revived: changed.filter((at) => there.has(at)), vanished: changed.filter((at) => !there.has(at)) };
  }

  async #inTurn<T>(look: () => Look<T>): Promise<Settled<T> & { readonly ms: number }> {
    const turn = this.#last.then(async () => await this.#settle(look));
    this.#last = turn.catch(() => {});
    return await turn;
  }

  async #settle<T>(look: () => Look<T>): Promise<Settled<T> & { readonly ms: number }> {
    const redis = await this.#connect();
    let ms = 0;
    const step = async (orders: readonly Order[]) => {
      const answer = await this.calls.sendTogether(orders, redis);
      ms = Math.max(ms, answer.ms);
      return answer.replies;
    };
    try {
      for (let looks = 0; looks < LOOKS; looks++) {
        const settled = await this.#attempt(look(), step);
        if (settled !== null) return { ...settled, ms };
      }
    } catch (error) {
      // Nobody knows any more what this connection watches, or whether its transaction has ended.
      if (mayHaveBeenDone(error)) redis.disconnect();
      throw error;
    }
    // Redis' own word for what may succeed a moment later.
    throw new Error(
      'TRYAGAIN heartbeats that look stale are written again and again without changing, or keys that look idle',
    );
  }

  /** `null` when something watched was touched. Leaves the connection without WATCH and MULTI, however it ends. */
  async #attempt<T>({ watched, questions, decide }: Look<T>, step: Step): Promise<Settled<T> | null> {
    const seen = await step([['watch', watched], ...questions, ['multi', []]]);
    let decision: Awaited<ReturnType<typeof decide>> = null;
    try {
      const error = firstError(seen);
      if (error) throw asUndone(causeOf(error));
      decision = await decide(seen.slice(1, -1) as Reply[]);
    } finally {
      if (decision === null || 'instead' in decision) await step([['discard', []]]);
    }
    if (decision === null || 'instead' in decision) return decision;

    const { before, steps } = decision;
    const orders = [...before, ...steps.flat().map(({ order }) => order)];
    if (orders.length === 0) {
      await step([['discard', []]]);
      return { removed: countsOf(steps, []) };
    }
    const replies = await this.#execution.of(orders, step);
    const executed = replies.at(-1) as readonly unknown[] | null | Error;
    const answers = Array.isArray(executed) ? executed : [];
    const error = firstError(replies) ?? firstError(answers.filter((one) => !(one instanceof Error && wasGone(one))));
    if (error) throw causeOf(error);
    return executed === null ? null : { removed: countsOf(steps, answers.slice(before.length)) };
  }

  async #connect(): Promise<Redis> {
    const known = await this.#connection?.catch(() => null);
    if (known?.status === 'ready') return known;
    this.#connection = this.connectBeside();
    return await this.#connection;
  }
}
