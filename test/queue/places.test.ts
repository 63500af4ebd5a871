import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placesOf, type Resident } from '../../src/queue/schedules/places.ts';

function apart(a: number, b: number, every: number): number {
  return Math.min(Math.abs(a - b) % every, every - (Math.abs(a - b) % every));
}
function closest(places: readonly number[], every: number): number {
  return Math.min(...places.flatMap((a, i) => places.slice(i + 1).map((b) => apart(a, b, every))));
}

const intervals = fc.oneof(fc.constantFrom(1_000, 60_000, 300_000), fc.integer({ min: 1_000, max: 86_400_000 }));
/** An interval with so many new targets in it, as they draw. */
const crowds = intervals.chain((every) =>
  fc.record({
    every: fc.constant(every),
    drawn: fc.array(fc.integer({ min: 1, max: every - 1 }), { minLength: 2, maxLength: 60 }),
  }),
);
function newcomers(drawn: readonly number[], from = 0): Resident[] {
  return drawn.map((at, i) => ({ name: `t${from + i}`, drawn: at, stands: null }));
}
function standing(residents: readonly Resident[], places: ReadonlyMap<string, number>): Resident[] {
  return residents.map((one) => ({ ...one, stands: places.get(one.name) ?? null }));
}

describe('the places of targets that share an interval', () => {
  test('are half of an equal share from each other at least, whatever they draw, and never 0', () => {
    fc.assert(
      fc.property(crowds, ({ every, drawn }) => {
        const places = [...placesOf(every, newcomers(drawn), []).values()];
        expect(places).toHaveLength(drawn.length);
        for (const at of places) expect(at >= 1 && at < every && Number.isInteger(at)).toBe(true);
        expect(closest(places, every)).toBeGreaterThanOrEqual(Math.floor(every / (2 * drawn.length)));
      }),
    );
  });

  test('of fifty that share a minute are no two in the same 100 ms, though all draw the same', () => {
    const places = [...placesOf(60_000, newcomers(Array.from({ length: 50 }, () => 31_415)), []).values()];
    expect(closest(places, 60_000)).toBeGreaterThan(100);
  });

  test('are the same in whichever order they are given', () => {
    fc.assert(
      fc.property(crowds, fc.infiniteStream(fc.integer()), ({ every, drawn }, order) => {
        const residents = newcomers(drawn);
        const shuffled = residents
          .map((one) => ({ one, at: Number(order.next().value) }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        expect(new Map(placesOf(every, shuffled, []))).toEqual(new Map(placesOf(every, residents, [])));
      }),
    );
  });

  test('stay where they are, whoever comes or goes', () => {
    fc.assert(
      fc.property(crowds, fc.integer({ min: 1, max: 10 }), fc.integer({ min: 0, max: 59 }), (crowd, come, goes) => {
        const { every, drawn } = crowd;
        const residents = newcomers(drawn);
        const before = placesOf(every, residents, []);
        const stay = standing(residents, before).filter((_, i) => i !== goes % drawn.length);
        const after = placesOf(every, [...stay, ...newcomers(drawn.slice(0, come), 100)], []);
        for (const { name, stands } of stay) expect(after.get(name)).toBe(stands);
        const share = Math.floor(every / (2 * after.size));
        expect(closest([...after.values()], every)).toBeGreaterThanOrEqual(
          Math.min(share, Math.floor(every / (2 * drawn.length))),
        );
      }),
    );
  });

  test('are the same for whoever sees only the first of them declared', () => {
    fc.assert(
      fc.property(crowds, fc.nat(60), ({ every, drawn }, seen) => {
        const residents = newcomers(drawn);
        const places = placesOf(every, residents, []);
        const first = new Set(
          residents
            .map(({ name }) => name)
            .sort()
            .slice(0, seen),
        );
        const partly = residents.map((one) => ({
          ...one,
          stands: first.has(one.name) ? (places.get(one.name) ?? null) : null,
        }));
        expect(new Map(placesOf(every, partly, []))).toEqual(new Map(places));
      }),
    );
  });

  test('keep away from those that others have, and part two that stand at the same moment', () => {
    const taken = [10_000, 20_000];
    const places = placesOf(
      60_000,
      [
        { name: 'a', drawn: 10_000, stands: null },
        { name: 'b', drawn: 1, stands: 30_000 },
        { name: 'c', drawn: 2, stands: 30_000 },
      ],
      taken,
    );
    expect(places.get('b')).toBe(30_000);
    expect(closest([...taken, ...places.values()], 60_000)).toBeGreaterThanOrEqual(6_000);
  });
});
