/** leftAside: what says that something may be set aside, and what is done about what a killed run left there.
 *
 * Whoever sets something aside says so first, and takes that back once nothing of its is aside any more. A run that finds such a word as
 * it begins puts back all that it finds aside, and then judges as ever: who is still stale is swept with it, and who lives has it again.
 * Whoever was at work after all notices, and leaves the heartbeats, so that nothing is orphaned.
 *
 * Nothing is restored from the trash while something is aside: it would take a name of which a later one is to be put back. So who
 * restores says a word of its own: runs wait for its end, and it for theirs.
 *
 * Two runs side by side wait for one another, too: of whom one has something aside, the other would find less, and let the heartbeat go.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import { asTaken } from '../../call/asTaken.ts';
import { Bulk } from '../../call/bulk.ts';
import { keyPages } from '../../keyspace/keyPages.ts';
import { piecesOf } from '../../pace/weight.ts';
import { each } from '../calls/each.ts';
import type { RoutedCalls } from '../calls/routedCalls.ts';
import { positionsBySlot } from '../calls/slots.ts';
import type { Node } from '../../target/node.ts';
import type { Members } from '../nodes/members.ts';
import { SlotWatch } from '../nodes/slotWatch.ts';
import { bringBack } from './bringBack.ts';
import { ASIDE_GLOB, ownNameOf } from './names.ts';
import { Turn } from './turn.ts';
import { isRestoring, Words } from './words.ts';

/** One who restores is done with a part of it by then. */
const WAIT_MS = 100;
/** So many of one slot are put back in one call: they take Redis half a millisecond. */
const MOST_BACK = 200;

export class LeftAside {
  readonly #words: Words;
  #turn: Turn | null = null;
  /** Chunks of which something may be aside. */
  #underWay = 0;
  #entering: Promise<void> | null = null;
  /** Words of runs of which nothing is waited for: what they stood for was looked for, or is this one's own. */
  readonly #known = new Set<string>();

  constructor(
    private readonly members: Members,
    private readonly calls: RoutedCalls,
    nowSeconds: number,
    private readonly signal: AbortSignal,
  ) {
    this.#words = new Words(calls, nowSeconds);
  }

  /**
   * Says that something is about to be set aside, once nobody else is restoring or has something aside. Fails (`UNREACHABLE`) where
   * somebody who has was killed meanwhile: who is stale must be judged anew, with what he left.
   */
  async enter(): Promise<void> {
    this.#underWay++;
    this.#entering ??= this.#say();
    await this.#entering;
  }

  async #say(): Promise<void> {
    const words = this.#words;
    for (;;) {
      const turn = await Turn.begin(words, this.members, 'run');
      const others = (await words.standing()).filter((one) => one !== turn.word && !this.#known.has(one));
      this.#turn = turn;
      const waitedFor = others.filter((one) => !isRestoring(one) || !words.isOld(one));
      if (waitedFor.length === 0) return;
      // What is aside must not find its name taken by an older one of the same name.
      await turn.end();
      if (waitedFor.some((one) => words.isOld(one))) throw leftMeanwhile();
      if (this.signal.aborted) throw new Failure('INTERRUPTED', 'the run was interrupted');
      // Of two who wait for one another one comes first.
      await pause(WAIT_MS * (1 + Math.random()));
    }
  }

  /** Before each step while something is aside. Fails (`UNREACHABLE`) where others have taken this process for killed meanwhile. */
  async insist(): Promise<void> {
    await this.#turn?.insist();
  }

  /** Until when, by the clock of whoever serves a slot, something may be done there in this turn, in seconds. */
  untilIn(slot: number): number {
    return this.#turn?.untilIn(slot) ?? 0;
  }

  /** What must be there where something is set aside in this turn, at a node; `null` where nothing there shows that in time. */
  passAt(node: Node): string | null {
    return this.#turn?.passAt(node) ?? null;
  }

  /** One chunk is settled: nothing of it is aside. */
  async leave(): Promise<void> {
    this.#underWay--;
    if (this.#underWay > 0 || this.#turn === null) return;
    const turn = this.#turn;
    this.#turn = null;
    this.#entering = null;
    await turn.end();
  }

  /** Nobody knows whether something of a chunk is, or will yet be, aside: its word stays, and what comes later says another one. */
  async leaveWord(): Promise<void> {
    this.#underWay--;
    const turn = this.#turn;
    if (turn !== null) this.#known.add(turn.word);
    this.#turn = null;
    this.#entering = null;
    // What can't be closed now closes by itself.
    await turn?.close().catch(() => {});
  }

  /**
   * Does what puts things where something may have been set aside from, once nothing is.
   * @param work insists on its turn before each step, which fails (`UNREACHABLE`) once others have taken this process for killed
   */
  async withNothingAside<T>(work: (turn: Turn) => Promise<T>): Promise<T> {
    const words = this.#words;
    let turn = await Turn.begin(words, this.members, 'restore');
    try {
      for (;;) {
        const others = (await words.standing()).filter((one) => !isRestoring(one));
        if (others.length === 0) return await work(turn);
        if (others.every((one) => words.isOld(one))) await this.settle();
        else await pause(WAIT_MS);
        this.signal.throwIfAborted();
        const before = turn;
        turn = await Turn.begin(words, this.members, 'restore');
        await before.end();
      }
    } finally {
      await turn.end();
    }
  }

  /** Puts back what killed runs left. Resolves to how much that was, and to names that were written anew meanwhile. */
  async settle(): Promise<{ readonly back: number; readonly taken: readonly string[] }> {
    const words = await this.#words.standing();
    const old = words.filter((word) => this.#words.isOld(word));
    // Before anything is looked for: what they sent comes no more.
    await this.#words.close(old.filter((word) => !isRestoring(word)));
    if (words.every(isRestoring)) {
      await this.#words.take(old);
      return { back: 0, taken: [] };
    }
    const taken: string[] = [];
    let back = 0;
    const putBackAll = async (keys: readonly Buffer[]): Promise<void> => {
      const aside = keys.filter((key) => ownNameOf(key) !== null);
      const bytesOf = (at: number) => (aside[at] as Buffer).length;
      const parts = [...positionsBySlot(aside).values()].flatMap((all) => [...piecesOf(all, () => MOST_BACK, bytesOf)]);
      await each(parts, async (positions) => {
        const names = positions.map((at) => (aside[at] as Buffer).toString('latin1'));
        const own = positions.map((at) => (ownNameOf(aside[at] as Buffer) as Buffer).toString('latin1'));
        await asTaken(this.calls, 'putBack', names.length, async (from, to) => {
          const [some, theirs] = [Bulk.of(names.slice(from, to)), Bulk.of(own.slice(from, to))];
          const brought = await bringBack(this.calls, some, theirs);
          some.clear();
          theirs.clear();
          back += brought.back;
          taken.push(...brought.taken);
        });
      });
    };
    // What moves meanwhile would else stay aside, and be nobody's once its owner's heartbeat has gone.
    const moves = new SlotWatch(this.members);
    await moves.begin();
    await Promise.all(
      this.members.nodes.map(async (node) => {
        for await (const keys of keyPages(node, ASIDE_GLOB)) {
          moves.look();
          await putBackAll(keys);
        }
      }),
    );
    for await (const keys of moves.missed()) await putBackAll(keys);
    for (const word of words) if (!isRestoring(word)) this.#known.add(word);
    await this.#words.take(old);
    return { back, taken };
  }
}

function leftMeanwhile(): Failure {
  const sentence = 'another run has set things aside on this cluster meanwhile, and was killed';
  return new Failure('UNREACHABLE', `${sentence}: what is stale must be judged anew, with what it left`);
}
