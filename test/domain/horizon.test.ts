/** Until when nobody can be stale: whatever happens after a pass, whoever may be stale is looked at. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Circumstances,
  type Horizon,
  type Listed,
  lookedAgain,
  lookFor,
  movedOn,
} from '../../src/domain/horizon.ts';
import { MOST_LISTED, Outlook } from '../../src/domain/outlook.ts';

const THRESHOLD = 600;
const BEGAN = 1_000_000;
const KEYS = 5_000;
const EXPIRING = 40;
/** A writer's clock may be behind by a tenth of the threshold. */
const BEHIND = 60;

function nameOf(n: number): Buffer {
  return Buffer.from(`c${n}`);
}
function at(nowSeconds: number, given: Partial<Circumstances> = {}): Circumstances {
  return {
    basis: 'same',
    nowSeconds,
    keys: KEYS,
    expiring: EXPIRING,
    staleAfterSeconds: THRESHOLD,
    gapSeconds: () => 60,
    sweepsOrphans: false,
    outage: false,
    ...given,
  };
}

/** The horizon after a pass that saw these, each silent since then. */
function horizonOf(seen: ReadonlyMap<number, number>, ttlSeconds: number | null = null): Horizon {
  const outlook = new Outlook(BEGAN, THRESHOLD);
  for (const [n, since] of seen) outlook.see(nameOf(n), since);
  if (ttlSeconds !== null) outlook.seeTtl(ttlSeconds);
  return outlook.horizon('same', { keys: KEYS, expiring: EXPIRING }, null);
}

const silentFor = fc.oneof(fc.integer({ min: 0, max: THRESHOLD }), fc.integer({ min: 590, max: THRESHOLD }));
const stories = fc.record({
  silences: fc.array(silentFor, { maxLength: 60 }),
  /** Many who have been silent for as long as each other, or nearly. */
  crowd: fc.record({ size: fc.constantFrom(0, 0, 999, 1_000, 1_500, 4_000), silence: silentFor, spread: fc.nat(40) }),
  steps: fc.array(
    fc.record({
      seconds: fc.integer({ min: 0, max: 200 }),
      beats: fc.array(fc.record({ who: fc.nat(80), behind: fc.nat(BEHIND) }), { maxLength: 20 }),
      leaves: fc.array(fc.nat(80), { maxLength: 2 }),
    }),
    { maxLength: 12 },
  ),
});

describe('a horizon', () => {
  test('leaves out nobody who is stale, whoever beats, is born or leaves after the pass', () => {
    fc.assert(
      fc.property(stories, ({ silences, crowd, steps }) => {
        const since = new Map(silences.map((silence, n) => [n, BEGAN - silence]));
        for (let i = 0; i < crowd.size; i++) {
          since.set(1_000 + i, Math.max(BEGAN - THRESHOLD, BEGAN - crowd.silence - (i % (crowd.spread + 1))));
        }
        let horizon = horizonOf(since);
        expect(horizon.listed.length).toBeLessThanOrEqual(MOST_LISTED);
        let now = BEGAN;
        for (const { seconds, beats, leaves } of steps) {
          now += seconds;
          // Whoever was not there is born.
          for (const { who, behind } of beats) since.set(who, now - behind);
          for (const who of leaves) since.delete(who);
          const stale = [...since].filter(([, from]) => now - from > THRESHOLD).map(([n]) => String(nameOf(n)));
          const look = lookFor(horizon, at(now));
          if (look.pass === 'full') {
            expect(now - horizon.restSeconds).toBeGreaterThan(THRESHOLD);
            return;
          }
          const due: readonly Listed[] = look.pass === 'due' ? look.due : [];
          const names = new Set(due.map(({ key }) => Buffer.from(key).toString()));
          expect(stale.filter((name) => !names.has(name))).toEqual([]);
          if (stale.length > 0) return;
          const still = due.flatMap((one) => {
            const from = since.get(Number(Buffer.from(one.key).toString().slice(1)));
            return from === undefined ? [] : { ...one, sinceSeconds: from };
          });
          horizon = due.length === 0 ? lookedAgain(horizon, now) : movedOn(horizon, due, still, now);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('spares every look until somebody could be stale: at a minute between runs, nine of ten', () => {
    const horizon = horizonOf(new Map(Array.from({ length: 5_000 }, (_, n) => [n, BEGAN - (n % 30)])));
    expect(horizon.listed).toEqual([]);
    const passes = Array.from({ length: 10 }, (_, n) => lookFor(horizon, at(BEGAN + 60 * (n + 1))).pass);
    expect(passes).toEqual([...Array.from({ length: 9 }, () => 'none'), 'full']);
  });

  test('knows the thousand oldest by name, and looks at those alone who are due', () => {
    const seen = new Map(Array.from({ length: 3_000 }, (_, n) => [n, BEGAN - 100 - (n % 300)]));
    const horizon = horizonOf(seen);
    expect(horizon.listed.length).toBe(1_000);
    expect(horizon.restSeconds).toBe(Math.max(...horizon.listed.map(({ sinceSeconds }) => sinceSeconds)) + 1);
    const look = lookFor(horizon, at(BEGAN + THRESHOLD - 390));
    const due = look.pass === 'due' ? look.due.map(({ sinceSeconds }) => BEGAN - sinceSeconds) : [];
    expect(new Set(due)).toEqual(new Set([391, 392, 393, 394, 395, 396, 397, 398, 399]));
  });

  test('takes no more room for names than it may: of those that are long fewer are known, the rest bound it', () => {
    const outlook = new Outlook(BEGAN, THRESHOLD);
    for (let n = 0; n < 500; n++) outlook.see(Buffer.alloc(10_000, n), BEGAN - THRESHOLD + n);
    const { listed, restSeconds } = outlook.horizon('same', { keys: KEYS, expiring: EXPIRING }, null);
    expect(listed).toHaveLength(6);
    expect(restSeconds).toBe(BEGAN - THRESHOLD + 6);
  });

  test.each<[string, Partial<Circumstances>, number?]>([
    ['another server, schema, threshold or list', { basis: 'other' }],
    ["a clock that went back since the last run's", { nowSeconds: BEGAN + 49 }],
    ['an outage', { outage: true }],
    ['an import of many keys', { keys: 1.25 * KEYS + 101 }],
    ['many keys that expire, where no heartbeat did', { expiring: 1.25 * EXPIRING + 5 }],
    ['orphans, whose next run would come too late', { sweepsOrphans: true, gapSeconds: () => THRESHOLD - 49 }],
    ['heartbeats that expire before the next run', { gapSeconds: () => 36 }, 89],
    ['heartbeats of which nobody knows how long they live', {}, 0],
  ])('is of no use after, or with, %s', (_, given, ttlSeconds = undefined) => {
    const horizon = lookedAgain(horizonOf(new Map([[1, BEGAN]]), ttlSeconds ?? null), BEGAN + 50);
    expect(lookFor(horizon, at(BEGAN + 50, given)).pass).toBe('full');
    expect(lookFor(lookedAgain(horizonOf(new Map([[1, BEGAN]])), BEGAN + 50), at(BEGAN + 50)).pass).toBe('none');
  });

  test('is of no use once a key expires where none did: one writer of heartbeats that expire is not to be missed', () => {
    const none = { ...horizonOf(new Map([[1, BEGAN]])), expiring: 0 };
    expect(lookFor(none, at(BEGAN + 50, { expiring: 0 })).pass).toBe('none');
    expect(lookFor(none, at(BEGAN + 50, { expiring: 1 })).pass).toBe('full');
    // A few that come and go tell nothing where there are such.
    const few = { ...none, expiring: 1 };
    expect(lookFor(few, at(BEGAN + 50, { expiring: 5 })).pass).toBe('none');
    expect(lookFor(few, at(BEGAN + 50, { expiring: 6 })).pass).toBe('full');
  });

  test('knows for a day how short a heartbeat was seen to live, whoever lives longer since (P11)', () => {
    const after = (seconds: number, ttlSeconds: number | null, before: Horizon): Horizon => {
      const outlook = new Outlook(BEGAN + seconds, THRESHOLD);
      if (ttlSeconds !== null) outlook.seeTtl(ttlSeconds);
      return outlook.horizon('same', { keys: KEYS, expiring: EXPIRING }, before);
    };
    const short = horizonOf(new Map([[1, BEGAN]]), 90);
    for (const seen of [null, 90, 3_600]) {
      const later = after(43_200, seen, after(43_200, seen, short));
      expect(later.ttlSeconds).toBe(90);
      const now = BEGAN + 43_200 + 60;
      expect(lookFor(later, at(now, { gapSeconds: () => 60 })).pass).toBe('full');
    }
    expect(after(86_401, null, short).ttlSeconds).toBeNull();
    expect(after(86_401, 3_600, after(10, 3_600, short)).ttlSeconds).toBe(3_600);
    expect(after(86_401, null, after(10, 90, short)).ttlSeconds).toBe(90);
    expect(after(10, 30, short).ttlSeconds).toBe(30);
  });

  test('goes on where orphans and heartbeats that expire can wait for the next run', () => {
    const horizon = horizonOf(new Map([[1, BEGAN]]), 300);
    const given = { sweepsOrphans: true, gapSeconds: () => 60 };
    expect(lookFor(horizon, at(BEGAN + 180, given)).pass).toBe('none');
    expect(lookFor(horizon, at(BEGAN + 240, given)).pass).toBe('full');
    // However long they live: who has none any more is judged by what was seen.
    const long = horizonOf(new Map([[1, BEGAN]]), 86_400);
    expect(lookFor(long, at(BEGAN + 180, given)).pass).toBe('none');
    expect(lookFor(long, at(BEGAN + 240, given)).pass).toBe('full');
    expect(lookFor(null, at(BEGAN)).pass).toBe('full');
  });
});
