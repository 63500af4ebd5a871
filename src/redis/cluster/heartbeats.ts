/** heartbeats: what proves, across slots, that nobody of a chunk has beaten; and their removal, each compared in its own slot. */
import { Bulk } from '../bulk.ts';
import { proofOf } from '../kinds/proof.ts';
import type { SweepChunk, SweepResult } from '../sweep.ts';
import { each } from './aside.ts';
import type { Members } from './members.ts';
import type { RoutedCalls } from './routedCalls.ts';
import { positionsBySlot } from './slots.ts';

type Changed = SweepResult & { readonly swept: false };

export class Heartbeats {
  constructor(
    private readonly members: Members,
    private readonly calls: RoutedCalls,
  ) {}

  /** Which heartbeats are not as the chunk says; `null`: all are. */
  async changedIn({ judged, absent }: SweepChunk): Promise<Changed | null> {
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
    const born = absent.count === 0 ? [] : await this.bornOf(absent.texts());
    if (revived.length + vanished.length + born.length === 0) return null;
    return { swept: false, revived, vanished, born, ms: 0 };
  }

  /** The positions of those that exist. */
  async bornOf(heartbeats: readonly string[]): Promise<readonly number[]> {
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
  async sweep({ judged, heartbeats }: SweepChunk): Promise<number> {
    const keys = judged.keys.texts().slice(0, heartbeats);
    const proofs = judged.proofs.texts();
    const slots = positionsBySlot(keys);
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
}

function buffersIn(bulk: Bulk): readonly Buffer[] {
  return bulk.texts().map((text) => Buffer.from(text, 'latin1'));
}
