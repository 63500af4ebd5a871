/** words: what those say in a cluster who take keys out of sight, and those to whom that matters: sixteen sets, which both write and then
 * read, so that of two who come at once at least one sees the other. A word in them stands for one who is at work.
 */
import { Bulk } from '../../call/bulk.ts';
import { each } from '../calls/each.ts';
import type { RoutedCalls } from '../calls/routedCalls.ts';
import { sayWord } from '../../sayWord.ts';
import { MARKER_SLOTS, markerIn, passIn, secondOf, tokenOf } from './names.ts';

/** What is done under one word does not take so long; whose word is older was killed. */
const AT_WORK_SECONDS = 60;
/** Ends the words of those who bring back what was swept; the words of all others are of runs. */
const RESTORING = ':restore';

/** Whose word it is. */
export type Who = 'run' | 'restore';

export class Words {
  readonly #begunAt = performance.now();

  /** @param beganSeconds the cluster's clock, now */
  constructor(
    private readonly calls: RoutedCalls,
    private readonly beganSeconds: number,
  ) {}

  get #nowSeconds(): number {
    return this.beganSeconds + Math.floor((performance.now() - this.#begunAt) / 1000);
  }

  /**
   * Says a new word, of a run or of one who restores, and of this second of the earliest of all clocks.
   * @param untilIn until when, in seconds of the clock there, a run's passes are open
   */
  async say(who: Who, second: number, untilIn: (slot: number) => number): Promise<string> {
    const word = `${tokenOf(second)}${who === 'restore' ? RESTORING : ''}`;
    await each(MARKER_SLOTS, async (slot) => {
      const pass = { stream: passIn(slot, word), until: untilIn(slot) * 1000 };
      await sayWord(this.calls, markerIn(slot), word, who === 'restore' ? null : pass);
    });
    return word;
  }

  /** Takes words back. */
  async take(words: readonly string[]): Promise<void> {
    if (words.length === 0) return;
    await each(MARKER_SLOTS, async (slot) => {
      await this.calls.send('srem', [markerIn(slot), ...words]);
    });
  }

  /** Closes the passes of words: nothing that was sent under one of them, and has not come yet, sets anything aside. */
  async close(words: readonly string[]): Promise<void> {
    if (words.length === 0) return;
    await each(MARKER_SLOTS, async (slot) => {
      await this.calls.send('unlink', [Bulk.of(words.map((word) => passIn(slot, word)))]);
    });
  }

  /** All that stand, whether those who said them are at work or were killed. */
  async standing(): Promise<readonly string[]> {
    const words = new Set<string>();
    await each(MARKER_SLOTS, async (slot) => {
      const { reply } = await this.calls.send('smembers', [markerIn(slot)]);
      for (const word of reply as string[]) words.add(word);
    });
    return [...words];
  }

  /** Whether it stands: nobody has taken it for a killed one's. */
  async stands(word: string): Promise<boolean> {
    return (await this.standing()).includes(word);
  }

  /** Whether whoever said it was killed. */
  isOld(word: string): boolean {
    return !(this.#nowSeconds - secondOf(word) <= AT_WORK_SECONDS);
  }
}

/** Whether it is the word of one who brings back what was swept. */
export function isRestoring(word: string): boolean {
  return word.endsWith(RESTORING);
}
