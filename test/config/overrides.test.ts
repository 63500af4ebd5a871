import { expect, test } from 'vitest';
import { type Environment, resolveConfig } from '../../src/config/resolve.ts';

const FILE = `
staleAfter: 20m
targets:
  default: { url: "redis://main", staleAfter: 30m }
  staging: { url: "redis://staging", staleAfter: 40m, cron: "0 * * * *" }
  plain: { url: "redis://plain" }
`;
function overridesOf(env: Environment, text = FILE) {
  return resolveConfig({}, env, { name: 'sweep.yaml', text }).overrides;
}

test.each<[Environment, string[]]>([
  [{}, []],
  [
    { STALESWEEP_STALE_AFTER: '2m' },
    ['STALESWEEP_STALE_AFTER overrides the staleAfter that sweep.yaml sets for targets "default", "staging"'],
  ],
  [
    { STALESWEEP_STALE_AFTER: '30m' },
    ['STALESWEEP_STALE_AFTER overrides the staleAfter that sweep.yaml sets for target "staging"'],
  ],
  [{ STALESWEEP_EVERY: '7s' }, ['STALESWEEP_EVERY overrides the cron that sweep.yaml sets for target "staging"']],
  [{ STALESWEEP_CRON: '0 * * * *' }, []],
  [{ REDIS_URL: 'redis://main' }, []],
  [{ REDIS_URL: 'redis://other' }, ['REDIS_URL overrides the url that sweep.yaml sets for target "default"']],
  [{ STALESWEEP_NICE: '1', LOG_LEVEL: 'warn', STALESWEEP_STALE_AFTER: '' }, []],
])('the environment %j changes behind the back of the file: %j', (env, sentences) => {
  expect(overridesOf(env)).toEqual(sentences);
});

test('a stray REDIS_URL beside a file of other targets is said to be cleaned too, without its password', () => {
  const text = 'targets: { a: { url: "redis://a" } }';
  expect(overridesOf({ REDIS_URL: 'redis://u:hush@stray' }, text)).toEqual([
    'REDIS_URL adds a target "default" (redis://u:***@stray) to those of sweep.yaml; unset it to clean only these',
  ]);
  expect(overridesOf({ REDIS_URL: 'redis://stray' }, 'staleAfter: 20m')).toEqual([]);
  expect(resolveConfig({}, { REDIS_URL: 'redis://stray', STALESWEEP_STALE_AFTER: '2m' }).overrides).toEqual([]);
});
