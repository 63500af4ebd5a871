import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { Failure } from '../../src/domain/failure.ts';
import { differenceOf, parsePayload, payloadJsonSchema } from '../../src/queue/runs/payload.ts';
import { anyText } from '../support/text.ts';

const { targets } = resolveConfig({}, {}, { name: 'x', text: 'targets: { default: {}, b: { url: "redis://b" } }' });
function parse(data: unknown) {
  return parsePayload(data, targets);
}

/** What is said of wrong data: one line of ours, however long and odd the data is. */
function sentenceFor(data: unknown): string | null {
  try {
    const { target, staleAfterSeconds } = parse(data);
    expect(targets.get(target.name)).toBe(target);
    expect(staleAfterSeconds).toBeGreaterThanOrEqual(target.minStaleAfterSeconds);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ code: 'JOB_DATA', message: expect.stringMatching(/^job data: \P{Cc}{10,400}$/u) });
    expect((error as Failure).message).not.toMatch(/Invalid input|expected .* received|\[object/);
    return (error as Failure).message;
  }
}

const FIELDS = ['target', 'dryRun', 'staleAfter', 'trigger', 'force'];

describe('data of a job', () => {
  test('is taken or refused with one sentence, whatever it is', () => {
    const field = fc.constantFrom(...FIELDS, '__proto__', 'constructor', 'toString', 'cursor', 'v');
    const good = fc.constantFrom<unknown>(
      'default',
      'b',
      '10m',
      '90s',
      true,
      false,
      'cli',
      'schedule',
      null,
      '-1s',
      '1e9d',
    );
    const value = fc.oneof(good, fc.jsonValue(), anyText());
    const written = fc
      .array(fc.tuple(field, value), { maxLength: 6 })
      .map((entries) => `{${entries.map(([name, of]) => `${JSON.stringify(name)}:${JSON.stringify(of)}`).join(',')}}`);
    fc.assert(
      fc.property(fc.oneof(written, fc.json()), (text) => {
        sentenceFor(JSON.parse(text));
      }),
      { numRuns: 800 },
    );
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (data) => {
        sentenceFor(data);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['{"target":"default","__proto__":{"dryRun":true}}', 'unknown field "__proto__"'],
    ['{"__proto__":{"target":"default"}}', '"target" must be the name of a target'],
    ['{"target":{"toString":1}}', '"target" must be the name of a target'],
    ['{"target":"constructor"}', 'unknown target "constructor"; allowed: default, b'],
    ['{"target":"default","staleAfter":"100000d"}', 'must lie between 1s and 1000d'],
    ['{"target":"default","staleAfter":"0.5s"}', 'must lie between 1s and 1000d'],
    ['{"target":"default","staleAfter":"-10m"}', 'must lie between 1s and 1000d'],
    ['{"target":"default","staleAfter":"59s"}', 'is below the minStaleAfter of target "default"; ask for 1m or more'],
    ['{"target":"default","staleAfter":1e999}', '"staleAfter"'],
    ['{"target":"default","schemaVersion":2}', 'unknown field "schemaVersion"; allowed: target, dryRun'],
    [JSON.stringify({ target: 'x'.repeat(5_000_000) }), 'unknown target "xxx'],
    [JSON.stringify({ target: 'default', ['y'.repeat(5_000_000)]: 1 }), 'unknown field "yyy'],
    [JSON.stringify({ target: 'default', staleAfter: '7'.repeat(5_000_000) }), '"staleAfter" "777'],
    [JSON.stringify({ target: 'default', trigger: 'z'.repeat(5_000_000) }), '"trigger" must be'],
  ])('%.60s is refused with a short sentence', (text, sentence) => {
    expect(sentenceFor(JSON.parse(text))).toContain(sentence);
  });

  test('offered by the form is accepted', () => {
    const { properties } = payloadJsonSchema(targets);
    const filled = Object.entries(properties).flatMap(([name, field]) =>
      'default' in field ? [[name, field.default]] : [],
    );
    expect(sentenceFor(Object.fromEntries(filled))).toBeNull();
  });
});

test.each([
  [{}, {}, null],
  [{ staleAfter: '10m', dryRun: false }, { trigger: 'schedule' }, null],
  [{}, { dryRun: true }, 'it is a dry run'],
  [{ dryRun: true }, {}, 'it is a real run'],
  [{ staleAfter: '20m' }, {}, 'its staleAfter is 10m'],
  [{ dryRun: true, staleAfter: '90s', force: true }, {}, 'it is a real run, its staleAfter is 10m, it is not forced'],
])('whoever asks for %j and joins %j is told: %s', (asked, joined, difference) => {
  expect(differenceOf(parse({ target: 'default', ...asked }), parse({ target: 'default', ...joined }))).toBe(
    difference,
  );
});
