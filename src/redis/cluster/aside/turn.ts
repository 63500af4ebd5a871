/** turn: the time of one who has said a word: looked at and said anew as it goes on, and kept by the nodes themselves. */
import type { Members } from '../nodes/members.ts';
import type { Node } from '../../target/node.ts';
import { Lease, stoodStill } from './lease.ts';
import { MARKER_SLOTS, passIn } from './names.ts';
import type { Who, Words } from './words.ts';

/** In ms: who has not looked at its word for longer does so before it goes on: a process that stood still may have been taken for killed. */
const LOOK_AFTER_MS = 20_000;

export class Turn {
  readonly #lease: Lease;
  #word = '';
  /** All whose passes it has opened. */
  readonly #said: string[] = [];
  #lookedAt = performance.now();
  #looking: Promise<void> | null = null;

  private constructor(
    private readonly words: Words,
    private readonly members: Members,
    private readonly who: Who,
  ) {
    this.#lease = new Lease(members);
  }

  /** Says a word. */
  static async begin(words: Words, members: Members, who: Who): Promise<Turn> {
    const turn = new Turn(words, members, who);
    await turn.#say();
    return turn;
  }

  /** The word that stands for it now. */
  get word(): string {
    return this.#word;
  }

  async #say(): Promise<void> {
    const at = performance.now();
    this.#word = await this.words.say(this.who, await this.#lease.renew(), (slot) => this.#lease.untilIn(slot));
    this.#said.push(this.#word);
    this.#lookedAt = at;
  }

  /**
   * Awaited before each step that goes by the word. Where nobody looked for long, it is looked for, and said anew; fails (`UNREACHABLE`)
   * where somebody has taken it back.
   */
  async insist(): Promise<void> {
    if (performance.now() - this.#lookedAt < LOOK_AFTER_MS) return;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { words } = this;
    const before = this.#word;
    if (!(await words.stands(before))) throw stoodStill();
    await this.#say();
    // Whoever took the first for a killed one's has seen nothing of the second.
    if (!(await words.stands(before))) throw stoodStill();
    await words.take([before]);
  }

  /** As `Lease` has it. */
  untilIn(slot: number): number {
    return this.#lease.untilIn(slot);
  }

  /** The pass at a node; `null` where that serves none of the slots in which there is one. */
  passAt(node: Node): string | null {
    const slot = MARKER_SLOTS.find((one) => this.members.ownerOf(one) === node);
    return slot === undefined ? null : passIn(slot, this.#word);
  }

  /** Lets nothing be set aside any more that was sent under its word, which stands. */
  async close(): Promise<void> {
    if (this.who === 'run') await this.words.close(this.#said);
  }

  /** Takes the word back. */
  async end(): Promise<void> {
    await this.words.take([this.#word]);
    await this.close();
  }
}
