/** heartbeats: what proves, across slots, that nobody of a chunk has beaten; and their removal, each compared in its own slot. */
import { mostAtOnce } from '../../call/asTaken.ts';
import { Bulk } from '../../call/bulk.ts';
import { isProofOf } from '../../kinds/proof.ts';
import type { SweepChunk, SweepResult } from '../../sweep.ts';
import { SWEEP_HEARTBEATS, spellSweepHeartbeats } from '../../sweepHeartbeats.ts';
import { each } from '../calls/each.ts';
import { KeysBySlot, type Span } from '../calls/keysBySlot.ts';
import type { RoutedCalls } from '../calls/routedCalls.ts';
import { callBySlot, type Spelled } from '../calls/scripted.ts';
import { tagOf } from '../calls/slots.ts';
import { inTime } from './lease.ts';
import type { Telling } from './telling.ts';
import type { Turn } from './turn.ts';

type Changed = SweepResult & { readonly swept: false };

/** So many go in one call of the script. */
const MOST_SWEPT = 100;
/** A value that is no longer than this is its own proof: to take a digest costs Redis more than to compare so much. */
const LONGEST_PROOF = 512;

/** Those of one chunk. */
export class Heartbeats {
  readonly #judged: KeysBySlot;
  readonly #absent: KeysBySlot;
  /** By place. */
  readonly #proofs: readonly Uint8Array[];
  /** As they were found to be as judged, by place. */
  #values: readonly (Buffer | null)[] | null = null;

  /** @param chunk of which nobody lets go meanwhile */
  constructor(
    private readonly calls: RoutedCalls,
    private readonly chunk: Pick<SweepChunk, 'judged' | 'absent' | 'heartbeats' | 'trash'>,
  ) {
    this.#judged = new KeysBySlot([chunk.judged.keys]);
    this.#proofs = viewsOf(chunk.judged.proofs);
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
    const proofs = this.#proofs;
    return values.flatMap((value, place) => {
      if (value === null) return [place];
      const first = before?.[place];
      const isSame = first ? value.equals(first) : isProofOf(proofs[place] as Uint8Array, value);
      return isSame ? [] : [place];
    });
  }

  /**
   * Removes those that go and are as they were judged; resolves to how many went. Once they were read.
   * @param told says, in the same step, who was swept whose heartbeats lie in one slot; `null`: nothing is said
   * @param turn insisted on before each step, what that rejects with ends it; and what a node refuses to do after it has ended
   */
  async sweep(told: Telling | null, turn: Pick<Turn, 'insist' | 'untilIn'>): Promise<number> {
    const judged = this.#judged;
    const going = judged.numbers.filter((number) => (judged.places[number] as number) < this.chunk.heartbeats);
    const most = Math.min(MOST_SWEPT, mostAtOnce(this.calls, SWEEP_HEARTBEATS.name));
    const spans = judged.spansOf(going, most, (number) => this.#valueBytesOf(number));
    let removed = 0;
    const sweeping = callBySlot(
      this.calls,
      SWEEP_HEARTBEATS,
      spans,
      (step) => this.#spell(step, told, turn.untilIn(step.slot)),
      (_, reply) => {
        removed += Number(reply);
      },
      async () => await turn.insist(),
    );
    await inTime(sweeping);
    return removed;
  }

  #valueBytesOf(number: number): number {
    return this.#values?.[this.#judged.places[number] as number]?.length ?? 0;
  }

  #spell(step: Span, told: Telling | null, until: number): Spelled {
    const judged = this.#judged;
    const proofs = this.#proofs;
    const [keys, theirs] = [new Bulk(), new Bulk()];
    for (const number of step.numbers) {
      const place = judged.places[number] as number;
      const value = this.#values?.[place];
      judged.addTo(keys, number);
      theirs.add(value && value.length <= LONGEST_PROOF ? value : (proofs[place] as Uint8Array));
    }
    const places = step.numbers.map((number) => judged.places[number] as number);
    const trash = this.chunk.trash?.in(tagOf(step.slot)) ?? null;
    return spellSweepHeartbeats({ keys, proofs: theirs, trash, announced: told?.of(step, places) ?? null, until });
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
