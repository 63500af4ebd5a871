import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentSeconds } from '../../src/domain/heartbeat.ts';
import { merged, outageMs } from '../../src/domain/outages.ts';

const at = fc.integer({ min: 0, max: 60 });
const spans = fc.array(fc.record({ fromAt: at, toAt: at }), { maxLength: 8 });

test('an outage takes from a silence just the time they share, however outages overlap (P10)', () => {
  fc.assert(
    fc.property(spans, at, at, (outages, from, to) => {
      const inside = Array.from({ length: 60 }, (_, ms) => ms).filter(
        (ms) => ms >= from && ms < to && outages.some(({ fromAt, toAt }) => ms >= fromAt && ms < toAt),
      );
      expect(outageMs(merged(outages), from, to)).toBe(inside.length);
    }),
  );
});

test('spans are merged until they neither overlap nor touch', () => {
  fc.assert(
    fc.property(spans, (outages) => {
      for (const [i, { fromAt, toAt }] of merged(outages).entries()) {
        expect(fromAt).toBeLessThan(toAt);
        if (i > 0) expect(fromAt).toBeGreaterThan(merged(outages)[i - 1]?.toAt ?? 0);
      }
    }),
  );
});

test('silence counts on after an outage from where it stood before it (P10)', () => {
  const clock = { nowSeconds: 1_000, upSeconds: null, outages: [{ fromAt: 900_500, toAt: 990_000 }] };
  expect(silentSeconds(890_000, clock)).toBe(20);
  expect(silentSeconds(950_000, clock)).toBe(10);
  expect(silentSeconds(995_000, clock)).toBe(5);
});
