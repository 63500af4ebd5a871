import { describe, expect, test } from 'vitest';
import { type Environment, resolveConfig } from '../../src/config/resolve.ts';
import { showConfig } from '../../src/config/show.ts';

const URL_GIVEN = 'https://us:hush@hooks.example.com/hush/T0?hush=1';
function resolve(env: Environment, text = '') {
  return resolveConfig({}, env, { name: 'test.yaml', text });
}
const ALL = ['failed', 'refused', 'held', 'recovered'];

describe('the setting notify', () => {
  test('is a whole of file and environment, which wins; left out: nobody is told', () => {
    expect(resolve({}).notify).toBeUndefined();
    expect(resolve({}, `notify: { url: "${URL_GIVEN}" }`).notify).toEqual({ url: URL_GIVEN, on: ALL });
    const env = { STALESWEEP_NOTIFY_SECRET: 'b', STALESWEEP_NOTIFY_ON: 'held, failed' };
    expect(resolve(env, `notify: { url: "${URL_GIVEN}", on: [recovered], secret: a }`).notify).toEqual({
      url: URL_GIVEN,
      on: ['held', 'failed'],
      secret: 'b',
    });
    expect(resolve({ ...env, STALESWEEP_NOTIFY_URL: 'http://h' }).notify?.url).toBe('http://h');
  });

  test('is shown without its secrets', () => {
    const shown = JSON.stringify(showConfig(resolve({}, `notify: { url: "${URL_GIVEN}", secret: hush }`)));
    expect(shown).toContain('"notify":{"url":"https://hooks.example.com/***"');
    expect(shown).not.toContain('hush');
  });

  test.each([
    ['notify: { on: [failed] }', {}, /^STALESWEEP_NOTIFY_URL, or notify\.url in the file, is missing/],
    ['', { STALESWEEP_NOTIFY_SECRET: 'hush' }, /^STALESWEEP_NOTIFY_URL, or notify\.url in the file, is missing/],
    ['notify: { url: "redis://hush" }', {}, /notify\.url: must be the address of a web server/],
    ['notify: { url: "hush" }', {}, /notify\.url: must be the address of a web server/],
    ['', { STALESWEEP_NOTIFY_URL: 'hush' }, /^STALESWEEP_NOTIFY_URL: must be the address of a web server/],
    ['notify: { url: "http://h", on: [fail] }', {}, /notify\.on\.0: "fail" is not allowed; use failed, refused/],
    ['notify: { url: "http://h", secret: whsec_hush }', {}, /notify\.secret: must be 24 to 64 bytes as Base64/],
    ['notify: { url: "http://h", secret: 123456 }', {}, /notify\.secret: must be a secret in quotes/],
    ['notify: { url: "http://h", secrets: hush }', {}, /unknown setting "secrets"/],
    ['targets: { default: { notify: { url: "http://h" } } }', {}, /notify: is one setting for all targets/],
  ])('is refused in a sentence without secrets: %s %o', (text, env, sentence) => {
    const refused = () => resolve(env, text);
    expect(refused).toThrow(sentence);
    expect(refused).not.toThrow(/hush|123456/);
  });
});
