import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beatAtOf, type Clock, judge } from '../../src/domain/heartbeat.ts';

const NOW = 1_760_000_000;
const clock: Clock = { nowSeconds: NOW, upSeconds: null };
const judged = (value: string | null, at: Clock = clock) => judge(value, at, 600);
const silentFor = (ms: number) => JSON.stringify({ timestamp: NOW * 1000 - ms });

describe('a heartbeat', () => {
  test.each([
    [600_000, 'active'],
    [600_999, 'active'],
    [601_000, 'stale'],
    [0, 'active'],
    [-999, 'active'],
    [-1_000, 'ahead'],
    [-86_400_000, 'ahead'],
  ])('silent for %i ms at a threshold of 600 s is %s (P5)', (ms, expected) => {
    expect(judged(silentFor(ms))).toBe(expected);
  });

  test.each([
    ['a number', '{"timestamp":1759999399000}'],
    ['a number among blanks', '{ "timestamp" : 1 }'],
    ['a numeric string', '{"timestamp":"1759999399000"}'],
    ['ISO 8601 in UTC', '{"timestamp":"2025-10-09T08:43:19.000Z"}'],
    ['ISO 8601 with an offset', '{"timestamp":"2025-10-09T10:43:19+02:00"}'],
    ['ISO 8601 with a short offset', '{"timestamp":"2025-10-09T10:43:18,5+0200"}'],
    ['the last of two', '{"timestamp":1760000000000,"timestamp":1}'],
  ])('may give its time as %s (P5)', (_, value) => {
    expect(judged(value)).toBe('stale');
  });

  test.each([
    ['no string key', null],
    ['empty', ''],
    ['not JSON', 'alive'],
    ['cut off', '{"timestamp":1'],
    ['with NUL behind it', '{"timestamp":1}\0'],
    ['with NUL in a text', '{"timestamp":1,"state":"\0"}'],
    ['a bare number', '1'],
    ['null', 'null'],
    ['a list', '[{"timestamp":1}]'],
    ['without a timestamp', '{"beat":1}'],
    ['with a nested timestamp only', '{"last":{"timestamp":1}}'],
    ['with a null timestamp', '{"timestamp":null}'],
    ['with true as timestamp', '{"timestamp":true}'],
    ['with an object as timestamp', '{"timestamp":{"timestamp":1}}'],
    ['with an empty timestamp', '{"timestamp":""}'],
    ['with words as timestamp', '{"timestamp":"yesterday"}'],
    ['with a hexadecimal timestamp', '{"timestamp":"0x10"}'],
    ['with a negative timestamp', '{"timestamp":-5}'],
    ['beyond all numbers', '{"timestamp":1e999}'],
    ['NaN', '{"timestamp":NaN}'],
    ['with a date without a zone', '{"timestamp":"2025-10-09T10:43:19"}'],
    ['with a month that does not exist', '{"timestamp":"2025-13-09T10:43:19Z"}'],
    ['with a timestamp in its prototype only', '{"__proto__":{"timestamp":1}}'],
  ])('that is %s can not be judged (P4)', (_, value) => {
    expect(judged(value)).toBe('unreadable');
  });

  test('is never stale before Redis has been up for longer than the threshold, when it came back with old data (P10)', () => {
    const ancient = '{"timestamp":1}';
    expect(judged(ancient, { nowSeconds: NOW, upSeconds: 600 })).toBe('active');
    expect(judged(ancient, { nowSeconds: NOW, upSeconds: 601 })).toBe('stale');
  });

  test('never throws and never becomes stale by growing younger, whatever it holds (P4, P5)', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(2_000_000), fc.nat(2_000_000), (json, a, b) => {
        judged(json);
        expect(beatAtOf(json) === null || Number.isFinite(beatAtOf(json))).toBe(true);
        const [younger, older] = a < b ? [a, b] : [b, a];
        if (judged(silentFor(younger)) === 'stale') expect(judged(silentFor(older))).toBe('stale');
      }),
    );
  });
});

test.each(['2020-02-30T00:00:00Z', '2020-04-31T12:00:00Z', '2021-02-29T00:00:00Z'])(
  'takes no day that does not exist: %s (P4)',
  (timestamp) => {
    expect(beatAtOf(JSON.stringify({ timestamp }))).toBeNull();
  },
);
