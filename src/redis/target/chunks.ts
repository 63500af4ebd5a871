/** chunks: sends a node the chunks that remove something, and learns how large they may be from those that were refused or lost.
 *  Owns      when a chunk is given back, to be sent in smaller ones.
 *  Leaves    the removal to remover; how large the next ones may be, by Redis' time, to pace.
 */
import { notEvenOne } from '../call/asTaken.ts';
import { type OrphanChunk, type OrphanResult, orphansIn } from '../orphans.ts';
import type { Paces } from '../pace/paces.ts';
import { NOTHING_CHANGED, type Remover } from '../removal/remover.ts';
import { isInDoubt, isTooLarge } from '../rights/tooLarge.ts';
import { keysIn, MOST_KEYS_EVER, type SweepChunk, type SweepResult } from '../sweep.ts';
import type { Place } from './place.ts';

/**
 * So many chunks in a row are given back as too large for the way while calls can't become smaller: enough to cut those that all
 * lanes hold to the least size. A single one may need a proof that can't be cut.
 */
const MOST_GIVEN_BACK = 100;

/** So many proofs go with whatever needs them, however small calls have to be: where even that is refused, the run ends. */
const FEWEST_PROOFS = 100;

export class Chunks {
  /** Chunks in a row that were too large for the way. */
  #givenBack = 0;

  constructor(
    private readonly node: Pick<Place, 'steadily' | 'strategy' | 'mostKeys'> & { readonly paces: Paces },
    private readonly remover: Remover,
  ) {}

  get mostProofs(): number {
    const { strategy, mostKeys, paces } = this.node;
    const fits = strategy === 'script' ? MOST_KEYS_EVER / 2 : mostKeys;
    const { most } = paces.sweep;
    // As long as no chunk was refused for its size, what one may hold says nothing of proofs.
    return most < mostKeys ? Math.min(fits, Math.max(most, FEWEST_PROOFS)) : fits;
  }

  /**
   * Removes a chunk's keys if each heartbeat is as it was judged; otherwise removes nothing and says which are not. Where nothing
   * is named, it was too large for the way, or for the server: the next ones are to be smaller.
   */
  async sweep(chunk: SweepChunk): Promise<SweepResult> {
    const { node, remover } = this;
    const pace = node.paces.sweep;
    const most = () => (pace.isLeast && this.#givenBack > MOST_GIVEN_BACK ? Number.POSITIVE_INFINITY : 2 * pace.size);
    const before = pace.most;
    const result = await node
      .steadily('sweep', async () => await remover.sweep(chunk, most()))
      .catch(async (error: unknown) => {
        const isCut = this.#cut(chunk.weight ?? keysIn(chunk), before, error);
        // Whether only its answer was refused, smaller calls tell.
        const told = isInDoubt(error)
          ? await node.steadily('sweep', async () => await remover.sweep(chunk, 0))
          : { ...NOTHING_CHANGED, ms: 0 };
        if (!isCut && namesNothing(told)) throw notEvenOne('the removal of one coordinator', error as Error);
        return told;
      });
    const isGivenBack = namesNothing(result);
    this.#givenBack = isGivenBack ? this.#givenBack + 1 : 0;
    return result;
  }

  /**
   * Removes those orphans that are idle; removes nothing, and says which, when one of the heartbeats exists. Where none is named, the
   * next chunks are to be smaller, as with `sweep`.
   */
  async sweepOrphans(chunk: OrphanChunk): Promise<OrphanResult> {
    const { node, remover } = this;
    const before = node.paces.sweep.most;
    return await node
      .steadily('sweep', async () => await remover.sweepOrphans(chunk))
      .catch(async (error: unknown) => {
        const isCut = this.#cut(orphansIn(chunk), before, error);
        await node.steadily('sweep', async () => await remover.settleRefused(chunk));
        if (!isCut) throw notEvenOne('the removal of one orphan', error as Error);
        return { swept: false, born: [], ms: 0 };
      });
  }

  /** From now on chunks are smaller than one that was refused for its size, if they can be; all other errors are thrown. */
  #cut(size: number, before: number, error: unknown): boolean {
    if (!isTooLarge(error)) throw error;
    return this.node.paces.sweep.cut(size, before);
  }
}

/** Whether a chunk was given back. */
function namesNothing(result: SweepResult): boolean {
  return !result.swept && result.revived.length + result.vanished.length + result.born.length === 0;
}
