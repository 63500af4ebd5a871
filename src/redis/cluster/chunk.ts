/** chunk: in which slots the things of a chunk lie, and how many of them were there. */
import type { Bulk } from '../call/bulk.ts';
import type { SweepChunk } from '../sweep.ts';
import { slotOf } from './calls/slots.ts';

/** The slot of everything that a chunk names; `null`, where they are several. */
export function onlySlotOf({ judged, absent, families }: SweepChunk): number | null {
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

/** How many of each family were there; and the positions, all families counted through, of those that were not, where told. */
export function countsOf(
  families: readonly Bulk[],
  were: readonly boolean[],
  told: readonly boolean[],
): { readonly removed: readonly number[]; readonly missing: readonly number[] } {
  const removed: number[] = [];
  const missing: number[] = [];
  let place = 0;
  for (const [family, keys] of families.entries()) {
    let count = 0;
    for (let i = 0; i < keys.count; i++) {
      if (were[place]) count++;
      else if (told[family]) missing.push(place);
      place++;
    }
    removed.push(count);
  }
  return { removed, missing };
}
