/** heartbeats: what proves, across slots, that nobody of a chunk has beaten; and their removal, each compared in its own slot. */
import { Bulk } from '../../call/bulk.ts';
import { proofOf } from '../../kinds/proof.ts';
import type { SweepChunk, SweepResult } from '../../sweep.ts';
import { SWEEP_HEARTBEATS, sweepHeartbeats } from '../../sweepHeartbeats.ts';
import { each } from '../calls/each.ts';
import { KeysBySlot, type Span } from '../calls/keysBySlot.ts';
import type { RoutedCalls } from '../calls/routedCalls.ts';

type Changed = SweepResult & { readonly swept: false };

/** So many go in one call of the script. */
const MOST_SWEPT = 100;
/** A value that is no longer than this is its own proof: to take a digest costs Redis more than to compare so much. */
const LONGEST_PROOF = 512;

/** Those of one chunk. */
export class Heartbeats {
  readonly #judged: KeysBySlot;
  readonly #absent: KeysBySlot;
  /** As they were found to be as judged, by place. */
  #values: readonly (Buffer | null)[] | null = null;

  /** @param chunk of which nobody lets go meanwhile */
  constructor(
    private readonly calls: RoutedCalls,
    private readonly chunk: Pick<SweepChunk, 'judged' | 'absent' | 'heartbeats'>,
  ) {
    this.#judged = new KeysBySlot([chunk.judged.keys]);
    this.#absent = new KeysBySlot([chunk.absent]);
  }

  /** Reads them. Resolves to which are not as they were judged; `null`: all are. */
  async changed(): Promise<Changed | null> {
    const values = await this.calls.values(this.#judged);
    const changed = this.#changedAmong(values);
    this.#values ??= values;
    const revived: number[] = [];
    const vanished: number[] = [];
    if (changed.length > 0) {
      const keys = this.chunk.judged.keys.texts();
      await each(changed, async (i) => {
        // MGET says the same of what is no string.
        const { reply: exists } = await this.calls.send('exists', [keys[i] as string]);
        (exists === 0 ? vanished : revived).push(i);
      });
    }
    const born = await bornOf(this.calls, this.#absent);
    if (revived.length + vanished.length + born.length === 0) return null;
    return { swept: false, revived, vanished, born, ms: 0 };
  }

  #changedAmong(values: readonly (Buffer | null)[]): readonly number[] {
    const before = this.#values;
    const proofs = viewsOf(this.chunk.judged.proofs);
    return values.flatMap((value, place) => {
      if (value === null) return [place];
      const first = before?.[place];
      const isSame = first ? value.equals(first) : proofOf(value).equals(proofs[place] as Uint8Array);
      return isSame ? [] : [place];
    });
  }

  /** Removes those that go and are as they were judged; resolves to how many went. Once they were read. */
  async sweep(): Promise<number> {
    const judged = this.#judged;
    const going = judged.numbers.filter((number) => (judged.places[number] as number) < this.chunk.heartbeats);
    const spans = judged.spansOf(going, MOST_SWEPT);
    const proofs = viewsOf(this.chunk.judged.proofs);
    const addProofTo = (bulk: Bulk, number: number) => {
      const place = judged.places[number] as number;
      const value = this.#values?.[place];
      bulk.add(value && value.length <= LONGEST_PROOF ? value : (proofs[place] as Uint8Array));
    };
    let removed = 0;
    const byThemselves = async (some: readonly Span[]) => {
      await each(some, async ({ numbers }) => {
        const [keys, theirs] = [new Bulk(), new Bulk()];
        for (const number of numbers) {
          judged.addTo(keys, number);
          addProofTo(theirs, number);
        }
        const went = await sweepHeartbeats(this.calls, keys, theirs);
        removed += went;
        keys.clear();
        theirs.clear();
      });
    };
    // By then its node knows the script.
    const first = this.calls.firstOfEachNode(spans, ({ slot }) => slot);
    await byThemselves([...first]);
    const left = await this.calls.inBursts(
      spans.filter((span) => !first.has(span)),
      ({ slot }) => slot,
      {
        name: 'evalsha',
        spell: (burst, { numbers }) => {
          burst.open(2 + 2 * numbers.length);
          burst.commands.addText(SWEEP_HEARTBEATS.sha1);
          burst.commands.addText(`${numbers.length}`);
          for (const number of numbers) judged.addTo(burst.commands, number);
          for (const number of numbers) addProofTo(burst.commands, number);
        },
        take: (_, reply) => {
          if (typeof reply !== 'number') return false;
          removed += reply;
          return true;
        },
      },
    );
    await byThemselves(left);
    return removed;
  }
}

/** The places of those heartbeats that exist. */
export async function bornOf(calls: RoutedCalls, heartbeats: KeysBySlot): Promise<readonly number[]> {
  const exist = await calls.exist(heartbeats);
  return exist.flatMap((exists, place) => (exists ? [place] : []));
}

/** Each as long as it stands there. */
function viewsOf(bulk: Bulk): readonly Uint8Array[] {
  const views: Uint8Array[] = [];
  bulk.forEach((bytes, from, to) => {
    views.push(bytes.subarray(from, to));
  });
  return views;
}
