/** beats: what may stand in a heartbeat: good beats of every age, and everything that only looks like one. */
import fc from 'fast-check';
import { anyText } from '../support/text.ts';

/**
 * A heartbeat's value, to be written out at a given time. In `text`, `<ms>` stands for the instant `ageMs` before it in ms,
 * `<s>` in seconds, `<iso Z>` in ISO 8601 with that zone (`<iso>`: without), `<fresh>` for the time itself,
 * `<deep>` for lists in lists, `<pad n>` for n bytes.
 */
export interface Beat {
  readonly text: string;
  readonly ageMs: number;
}

/** Values that say when somebody last beat. */
export const USABLE = [
  '{"timestamp":<ms>}',
  '{"coordinatorId":"c1","timestamp":<ms>,"status":["日",{"x":null}]}',
  '{"timestamp":"<ms>"}',
  '{"timestamp":"<ms>.5"}',
  '{"timestamp":"00<ms>"}',
  '{"timestamp":<ms>.25}',
  '{"timestamp":<ms>e0}',
  '{"timestamp":"<iso Z>"}',
  '{"timestamp":"<iso z>"}',
  '{"timestamp":"<iso 000+00:00>"}',
  '{"timestamp":"<iso +02:00>"}',
  '{"timestamp":"<iso -0330>"}',
  '{"timestamp":"<iso +14>"}',
  ' {"a":1,\n\t"\\u0074imestamp" : <ms> }\r\n',
  '{"timestamp":<fresh>,"timestamp":<ms>}',
  '{"timestamp":"gone","timestamp":<ms>}',
  '{"timestamp":<ms>,"meta":{"timestamp":<fresh>},"Timestamp":<fresh>,"timestamp ":<fresh>}',
  '{"__proto__":{"timestamp":<fresh>},"constructor":1,"timestamp":<ms>}',
  '{"lastHeartbeat":<ms>}',
  '{"coordinatorId":"c1","lastHeartbeat":"<ms>","sequence":4}',
  '{"lastHeartbeat":"<iso Z>"}',
  '{"lastHeartbeat":<fresh>,"timestamp":<ms>}',
  '{"timestamp":<ms>,"lastHeartbeat":<fresh>}',
  '{"timestamp":<ms>,"lastHeartbeat":null}',
  '{"lastHeartbeat":<ms>,"LastHeartbeat":<fresh>,"meta":{"timestamp":<fresh>},"time":<fresh>}',
  '{"timestamp":1000000000000}',
  '{"timestamp":"2001-09-09T01:46:40Z"}',
  '{"timestamp":"2020-02-29T23:59:59,999-11:30"}',
  '{"timestamp":"2020-01-01T24:00:00Z"}',
  '{"timestamp":<ms>,"deep":<deep>}',
];

/** Values that don't. */
export const UNUSABLE = [
  '',
  ' ',
  '{}',
  '[]',
  'null',
  '<ms>',
  '"<ms>"',
  '"timestamp"',
  '[{"timestamp":<ms>}]',
  '{"timestamp":null}',
  '{"timestamp":true}',
  '{"timestamp":""}',
  '{"timestamp":" <ms>"}',
  '{"timestamp":"+<ms>"}',
  '{"timestamp":<s>}',
  '{"timestamp":<s>.5}',
  '{"timestamp":"<s>"}',
  '{"timestamp":"<s>.5"}',
  '{"timestamp":"1970-01-01T00:00Z"}',
  '{"timestamp":"1970-01-21T08:53:20.000Z"}',
  '{"lastHeartbeat":"2001-09-09T01:46:39.999Z"}',
  '{"timestamp":0}',
  '{"timestamp":-0}',
  '{"timestamp":"0"}',
  '{"timestamp":999999999999}',
  '{"timestamp":"999999999999.9"}',
  '{"timestamp":-<ms>}',
  '{"timestamp":"-<ms>"}',
  '{"timestamp":<ms>000}',
  '{"timestamp":"<ms>000000"}',
  '{"lastHeartbeat":<s>}',
  '{"lastHeartbeat":0}',
  '{"lastHeartbeat":null}',
  '{"lastHeartbeat":"<iso>"}',
  '{"timestamp":null,"lastHeartbeat":<ms>}',
  '{"timestamp":<s>,"lastHeartbeat":<ms>}',
  '{"timestamp":"","lastHeartbeat":<ms>}',
  '{"LastHeartbeat":<ms>,"last_heartbeat":<ms>}',
  '{"meta":{"lastHeartbeat":<ms>}}',
  '{"timestamp":"-1"}',
  '{"timestamp":-1}',
  '{"timestamp":"<ms>e0"}',
  '{"timestamp":"0x10"}',
  '{"timestamp":"1_000"}',
  '{"timestamp":"<ms>n"}',
  '{"timestamp":"<ms>.1.1"}',
  '{"timestamp":"١٢٣"}',
  '{"timestamp":[<ms>]}',
  '{"timestamp":{"timestamp":<ms>}}',
  '{"timestamp":{"valueOf":<ms>}}',
  '{"meta":{"timestamp":<ms>}}',
  '{"__proto__":{"timestamp":<ms>}}',
  '{"Timestamp":<ms>,"time":<ms>,"timestamps":<ms>,"TIMESTAMP":<ms>}',
  '{"timestamp":<ms>,"timestamp":null}',
  '{"timestamp":NaN}',
  '{"timestamp":"NaN"}',
  '{"timestamp":Infinity}',
  '{"timestamp":"Infinity"}',
  '{"timestamp":1e400}',
  '{"timestamp":-1e400}',
  '{"timestamp":-Infinity}',
  '{"timestamp":0x10}',
  '{"timestamp":0<ms>}',
  '{"timestamp":<ms>',
  '{"timestamp":<ms>}}',
  '{"timestamp":<ms>}{"timestamp":<ms>}',
  '{"timestamp":<ms>,}',
  "{'timestamp':<ms>}",
  '{timestamp:<ms>}',
  '{"timestamp":<ms>} // now',
  '\ufeff{"timestamp":<ms>}',
  '\u00a0{"timestamp":<ms>}',
  '{"timestamp":<ms>}\0',
  '{"timestamp":"<iso>"}',
  '{"timestamp":"<iso Z>Z"}',
  '{"timestamp":"<iso +2>"}',
  '{"timestamp":"2020-01-01"}',
  '{"timestamp":"2020-13-01T00:00:00Z"}',
  '{"timestamp":"2020-01-01T25:00:00Z"}',
  '{"timestamp":"20200101T000000Z"}',
  '{"timestamp":"Wed, 01 Jan 2020 00:00:00 GMT"}',
  '{"timestamp":"yesterday"}',
];

const DEEP = `${'['.repeat(3_000)}${']'.repeat(3_000)}`;

const HOUR_MS = 3_600_000;
/** The rule turns on whole seconds: at the threshold and a little more a coordinator is active, one second later it is stale. */
const AT_THRESHOLD_MS = [-1_000, -1, 0, 1, 999, 1_000, 1_001, 2_000];

const usable = fc.oneof(fc.constant(USABLE[0] ?? ''), fc.constantFrom(...USABLE));

function longStale(staleAfterSeconds: number) {
  return fc.integer({ min: (staleAfterSeconds + 10) * 1000, max: 100_000 * HOUR_MS });
}

function anyAge(staleAfterSeconds: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: (staleAfterSeconds - 10) * 1000 }) },
    { weight: 6, arbitrary: longStale(staleAfterSeconds) },
    { weight: 2, arbitrary: fc.constantFrom(...AT_THRESHOLD_MS).map((ms) => staleAfterSeconds * 1000 + ms) },
    { weight: 2, arbitrary: fc.constantFrom(-1, -500, -999, -1_000, -1_001, -60_000, -HOUR_MS, -100_000 * HOUR_MS) },
    { weight: 1, arbitrary: fc.constantFrom(-1e18, 1e18, 1e300) },
  );
}

/** JSON that nobody meant as a heartbeat, and beats that broke on their way. */
const noise: fc.Arbitrary<string> = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.jsonValue({ maxDepth: 1 }).map((timestamp) => JSON.stringify({ timestamp })),
  fc.tuple(fc.constantFrom(...USABLE), fc.nat(60)).map(([text, length]) => text.slice(0, length)),
  anyText({ maxLength: 8 }),
);

/** A beat that can be judged, of long ago. */
export function staleBeat(staleAfterSeconds: number): fc.Arbitrary<Beat> {
  return fc.record({ text: usable, ageMs: longStale(staleAfterSeconds) });
}

/** Whatever a heartbeat may hold. */
export function anyBeat(staleAfterSeconds: number): fc.Arbitrary<Beat> {
  return fc.record({
    text: fc.oneof(
      { weight: 6, arbitrary: usable },
      { weight: 2, arbitrary: fc.constantFrom(...UNUSABLE) },
      { weight: 1, arbitrary: noise },
    ),
    ageMs: anyAge(staleAfterSeconds),
  });
}

function zoneMinutes(zone: string): number {
  const [, sign, hours, minutes] = /([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}

function isoOf(instant: number, zone: string): string {
  const local = new Date(instant + zoneMinutes(zone) * 60_000);
  return Number.isNaN(local.getTime()) ? 'never' : `${local.toISOString().slice(0, -1)}${zone}`;
}

/** The value, as bytes in a string, when it is written at `nowMs`. */
export function written({ text, ageMs }: Beat, nowMs: number): string {
  const at = nowMs - ageMs;
  const value = text
    .replaceAll('<ms>', `${at}`)
    .replaceAll('<s>', `${Math.floor(at / 1000)}`)
    .replaceAll('<fresh>', `${nowMs}`)
    .replaceAll('<deep>', DEEP)
    .replaceAll(/<pad (\d+)>/g, (_, bytes: string) => 'x'.repeat(Number(bytes)))
    .replaceAll(/<iso ?([^>]*)>/g, (_, zone: string) => isoOf(at, zone));
  return Buffer.from(value, 'utf8').toString('latin1');
}
