import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Clock,
  type Judgement,
  judge,
  readBeat,
  silentSeconds,
  WHY_SAYS,
  WHYS,
} from '../../src/domain/heartbeat.ts';
import { OTHER_TYPE } from '../../src/domain/reading.ts';

const NOW = 1_760_000_000;
const clock: Clock = { nowSeconds: NOW, upSeconds: null, outages: [] };
function judged(value: string | null, at: Clock = clock) {
  return judge(value === null ? OTHER_TYPE : Buffer.from(value, 'latin1'), at, 600);
}
function silentFor(ms: number) {
  return JSON.stringify({ timestamp: NOW * 1000 - ms });
}
function saying(judgement: Judgement): string {
  return 'why' in judgement ? judgement.why : judgement.state;
}

describe('a heartbeat', () => {
  test.each([
    [600_000, 'active'],
    [600_999, 'active'],
    [601_000, 'stale'],
    [0, 'active'],
    [-999, 'active'],
    [-1_000, 'ahead'],
    [-86_400_000, 'ahead'],
  ])('silent for %i ms at a threshold of 600 s is %s (P5)', (ms, state) => {
    expect(judged(silentFor(ms))).toEqual({ state, beatAt: NOW * 1000 - ms });
  });

  test.each([
    ['a number', '{"timestamp":1759999399000}'],
    ['a number among blanks', '{ "timestamp" : 1000000000000 }'],
    ['a number with an exponent', '{"timestamp":1e12}'],
    ['a numeric string', '{"timestamp":"1759999399000"}'],
    ['a numeric string with a fraction', '{"timestamp":"1759999398999.5"}'],
    ['ISO 8601 in UTC', '{"timestamp":"2025-10-09T08:43:19.000Z"}'],
    ['ISO 8601 with an offset', '{"timestamp":"2025-10-09T10:43:19+02:00"}'],
    ['ISO 8601 with a short offset', '{"timestamp":"2025-10-09T10:43:18,5+0200"}'],
    ['ISO 8601 of long ago', '{"timestamp":"2001-09-09T01:46:40Z"}'],
    ['the last of two', '{"timestamp":1760000000000,"timestamp":1000000000000}'],
    ['lastHeartbeat', '{"coordinatorId":"c","lastHeartbeat":1759999399000,"sequence":4}'],
    ['lastHeartbeat in ISO 8601', '{"lastHeartbeat":"2025-10-09T08:43:19Z"}'],
    ['timestamp rather than lastHeartbeat', '{"lastHeartbeat":1760000000000,"timestamp":1759999399000}'],
  ])('may give its time as %s (P5)', (_, value) => {
    expect(saying(judged(value))).toBe('stale');
  });

  test.each([
    ['no string key', null, 'wrong-type'],
    ['empty', '', 'not-json'],
    ['not JSON', 'alive', 'not-json'],
    ['cut off', '{"timestamp":1759999399000', 'not-json'],
    ['with NUL behind it', '{"timestamp":1759999399000}\0', 'not-json'],
    ['with NUL in a text', '{"timestamp":1759999399000,"state":"\0"}', 'not-json'],
    ['NaN', '{"timestamp":NaN}', 'not-json'],
    ['a bare number', '1759999399000', 'not-json'],
    ['null', 'null', 'not-json'],
    ['a list', '[{"timestamp":1759999399000}]', 'not-json'],
    ['without a time', '{"beat":1759999399000}', 'no-time'],
    ['with a nested timestamp only', '{"last":{"timestamp":1759999399000}}', 'no-time'],
    ['with a timestamp in its prototype only', '{"__proto__":{"timestamp":1759999399000}}', 'no-time'],
    ['with a null timestamp', '{"timestamp":null}', 'no-time'],
    ['with a null timestamp before lastHeartbeat', '{"timestamp":null,"lastHeartbeat":1759999399000}', 'no-time'],
    ['with seconds before lastHeartbeat', '{"timestamp":1759999399,"lastHeartbeat":1759999399000}', 'wrong-unit'],
    ['with true as timestamp', '{"timestamp":true}', 'no-time'],
    ['with an object as timestamp', '{"timestamp":{"timestamp":1759999399000}}', 'no-time'],
    ['with an empty timestamp', '{"timestamp":""}', 'no-time'],
    ['with words as timestamp', '{"timestamp":"yesterday"}', 'no-time'],
    ['with a hexadecimal timestamp', '{"timestamp":"0x10"}', 'no-time'],
    ['beyond all numbers', '{"timestamp":1e400}', 'no-time'],
    ['below all numbers', '{"timestamp":-1e400}', 'no-time'],
    ['with a month that does not exist', '{"timestamp":"2025-13-09T10:43:19Z"}', 'no-time'],
    ['with a date before the epoch', '{"timestamp":"1969-12-31T23:59:59Z"}', 'no-time'],
    ['with a date alone', '{"timestamp":"2025-10-09"}', 'no-time'],
    ['with a date and time without a zone', '{"timestamp":"2025-10-09T10:43:19"}', 'no-zone'],
    ['as Python writes it', '{"timestamp":"2025-10-09T10:43:19.123456"}', 'no-zone'],
    ['in seconds', '{"timestamp":1759999399}', 'wrong-unit'],
    ['in float seconds', '{"timestamp":1759999399.25}', 'wrong-unit'],
    ['in seconds as a string', '{"timestamp":"1759999399"}', 'wrong-unit'],
    ['in seconds, and says lastHeartbeat', '{"lastHeartbeat":1759999399}', 'wrong-unit'],
    ['a date of seconds taken for milliseconds', '{"timestamp":"1970-01-21T08:53:19.399Z"}', 'wrong-unit'],
    ['a date of zero', '{"lastHeartbeat":"1970-01-01T00:00:00.000Z"}', 'wrong-unit'],
    ['zero', '{"timestamp":0}', 'wrong-unit'],
    ['negative zero', '{"timestamp":-0}', 'wrong-unit'],
    ['zero as a string', '{"timestamp":"0"}', 'wrong-unit'],
    ['negative', '{"timestamp":-1759999399000}', 'wrong-unit'],
    ['negative as a string', '{"timestamp":"-1759999399000"}', 'wrong-unit'],
    ['just below the least number of ms', '{"timestamp":999999999999}', 'wrong-unit'],
    ['a fraction below it', '{"timestamp":"999999999999.9"}', 'wrong-unit'],
    ['in microseconds', '{"timestamp":1759999399000000}', 'ahead'],
    ['in nanoseconds, as a string', '{"timestamp":"1759999399000000000"}', 'ahead'],
  ])('that is %s can not be judged (P4)', (_, value, why) => {
    expect(saying(judged(value))).toBe(why);
  });

  test.each(['2020-02-30', '2020-04-31', '2021-02-29', '2020-01-00', '2020-01-32'])(
    'takes no day that does not exist: %s (P4)',
    (day) => {
      expect(readBeat(JSON.stringify({ timestamp: `${day}T12:00:00Z` }))).toEqual({ why: 'no-time' });
    },
  );

  test('is never stale before Redis has been up for longer than the threshold, when it came back with old data (P10)', () => {
    const ancient = '{"timestamp":1000000000000}';
    expect(saying(judged(ancient, { ...clock, upSeconds: 600 }))).toBe('active');
    expect(saying(judged(ancient, { ...clock, upSeconds: 601 }))).toBe('stale');
  });

  test('never throws and never becomes stale by growing younger, whatever it holds (P4, P5)', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(2_000_000), fc.nat(2_000_000), (json, a, b) => {
        const beat = readBeat(json);
        if ('why' in beat) expect(WHYS).toContain(beat.why);
        else expect(Number.isFinite(beat.beatAt)).toBe(true);
        const [younger, older] = a < b ? [a, b] : [b, a];
        if (saying(judged(silentFor(younger))) === 'stale') expect(saying(judged(silentFor(older)))).toBe('stale');
      }),
    );
  });

  // Any instant of the years in which such systems run, and every way to write a number in JSON.
  const instants = fc.integer({ min: 1_000_000_000_000, max: NOW * 1000 });
  const fields = fc.constantFrom('timestamp', 'lastHeartbeat');
  const asNumber = (number: number) => fc.constantFrom(`${number}`, `"${number}"`);

  test('in ms is read, in seconds, whole or not, or without its sign it is not, whatever the instant and the field (P4)', () => {
    fc.assert(
      fc.property(instants, fields, (at, field) => {
        const read = (time: string) => readBeat(`{"id":"c","${field}":${time}}`);
        for (const time of [`${at}`, `"${at}"`, `"${new Date(at).toISOString()}"`]) {
          expect(read(time)).toEqual({ beatAt: at });
        }
        for (const time of [Math.floor(at / 1000), at / 1000, 0, -at, -at / 1000]) {
          expect(read(`${time}`)).toEqual({ why: 'wrong-unit' });
          expect(read(`"${time}"`)).toEqual({ why: 'wrong-unit' });
        }
        // What a writer makes of its seconds by a clock that counts milliseconds.
        expect(read(`"${new Date(at / 1000).toISOString()}"`)).toEqual({ why: 'wrong-unit' });
        expect(saying(judged(`{"${field}":${at * 1000}}`))).toBe('ahead');
        expect(read(`"${new Date(at).toISOString().slice(0, -1)}"`)).toEqual({ why: 'no-zone' });
      }),
    );
  });

  test('with both fields is read by its timestamp alone, usable or not, in any order (P4)', () => {
    const times = fc.oneof(instants.chain(asNumber), fc.json({ maxDepth: 1 }));
    fc.assert(
      fc.property(times, times, fc.boolean(), (timestamp, last, first) => {
        const members = [`"timestamp":${timestamp}`, `"lastHeartbeat":${last}`];
        const both = `{${(first ? members : members.toReversed()).join()}}`;
        expect(readBeat(both)).toEqual(readBeat(`{"timestamp":${timestamp}}`));
      }),
    );
  });
});

test.each([
  [0, 0],
  [999, 0],
  [1_000, 1],
  [3_600_999, 3_600],
  [-1, 0],
  [-60_000, 0],
])('who last beat %i ms ago has been silent for %i s (P5)', (ms, seconds) => {
  expect(silentSeconds(NOW * 1000 - ms, clock)).toBe(seconds);
  expect(silentSeconds(NOW * 1000 - ms, { ...clock, upSeconds: 60 })).toBe(Math.min(60, seconds));
});

test('every reason is listed once, and says what it means', () => {
  expect(WHYS.toSorted()).toEqual(Object.keys(WHY_SAYS).sort());
});
