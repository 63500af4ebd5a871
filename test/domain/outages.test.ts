import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentSeconds } from '../../src/domain/heartbeat.ts';
import { merged, outageMs, secondsBack } from '../../src/domain/outages.ts';

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

test('one goes back just so far that enough seconds lie outside outages (P10)', () => {
  const second = fc.integer({ min: 0, max: 120 }).map((seconds) => seconds * 1_000);
  const outages = fc.array(fc.record({ fromAt: second, toAt: second }), { maxLength: 6 });
  fc.assert(
    fc.property(outages, fc.integer({ min: 1, max: 60 }), (some, seconds) => {
      const spans = merged(some);
      const outside = (back: number) => back - outageMs(spans, 120_000 - back * 1000, 120_000) / 1000;
      const back = secondsBack(spans, seconds, 120_000);
      expect(outside(back)).toBe(seconds);
      expect(outside(back - 1)).toBe(seconds - 1);
    }),
  );
});
