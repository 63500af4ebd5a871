import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactUrl } from '../../src/config/values/redisUrl.ts';
import { type Config, type Environment, type Flags, resolveConfig } from '../../src/config/resolve.ts';
import { ALL_SETTINGS } from '../../src/config/settings/settings.ts';
import { Failure } from '../../src/domain/failure.ts';
import { anyText } from '../support/text.ts';

function resolve(file: string, env: Environment = {}, flags: Flags = {}): Config {
  return resolveConfig(flags, env, { name: 'stalesweep.yaml', text: file });
}
function secondsOf(config: Config, target = 'default') {
  return config.targets.get(target)?.staleAfterSeconds;
}

describe('the configuration', () => {
  test('takes flags over environment over a target of the file over the top of the file over defaults', () => {
    const top = 'staleAfter: 20m';
    const target = `${top}\ntargets: { default: { staleAfter: 30m, url: "redis://h" } }`;
    const env = { STALESWEEP_STALE_AFTER: '40m' };
    expect(secondsOf(resolve(''))).toBe(600);
    expect(secondsOf(resolve(top))).toBe(1_200);
    expect(secondsOf(resolve(target))).toBe(1_800);
    expect(secondsOf(resolve(target, env))).toBe(2_400);
    expect(secondsOf(resolve(target, env, { staleAfter: '50m' }))).toBe(3_000);
  });

  test('lets the upper of interval and cron pattern decide', () => {
    const file = 'cron: "0 * * * *"\ntz: Europe/Vienna';
    expect(resolve(file).targets.get('default')).toMatchObject({ cron: '0 * * * *', tz: 'Europe/Vienna' });
    expect(resolve(file, { STALESWEEP_EVERY: '7s' }).targets.get('default')).toMatchObject({
      every: 7_000,
      cron: undefined,
    });
    expect(resolve('every: 1m', { STALESWEEP_CRON: '* * * * *' }).targets.get('default')?.cron).toBe('* * * * *');
  });

  test('has several targets, and the queue where the target "default" is unless it is told otherwise', () => {
    const file = 'targets: { default: { url: "redis://a" }, staging: { url: "redis://b/2", every: 1m } }';
    expect([...resolve(file).targets.keys()]).toEqual(['default', 'staging']);
    expect(resolve(file).queue.url).toBe('redis://a');
    expect(resolve(file, { REDIS_URL: 'redis://c' })).toMatchObject({ queue: { url: 'redis://c' }, targetGiven: true });
    expect(resolve(`${file}\nqueue: { url: "redis://q" }`).queue.url).toBe('redis://q');
    expect(resolve(file, { QUEUE_REDIS_URL: 'redis://e' }).queue.url).toBe('redis://e');
    expect(resolve('').targetGiven).toBe(false);
  });

  test('takes a schema the user wrote', () => {
    const file = `schemas:\n  mine: { heartbeat: "agents:{coordinator}:beat", locks: ["lock:{coordinator}", "lock:{coordinator}:*"] }\nschema: mine`;
    expect(resolve(file).targets.get('default')?.schema.families).toEqual(['heartbeat', 'locks']);
  });

  test.each([
    ['staleAftr: 10m', 'stalesweep.yaml: unknown setting "staleAftr", did you mean "staleAfter"?'],
    [
      'targets: { a: { url: "redis://h", scema: flat } }',
      'stalesweep.yaml: unknown setting "scema" under "targets.a", did you mean "schema"?',
    ],
    ['staleAfter: 600', 'stalesweep.yaml: staleAfter: 600 has no unit; write 600s, 600m or 600ms'],
    ['staleAfter: soon', 'stalesweep.yaml: staleAfter: "soon" is not a duration; write one such as 10m, 90s or 2ms'],
    ['staleAfter: 9999d', 'stalesweep.yaml: staleAfter: "9999d" must lie between 1s and 1000d'],
    ['memoryBudget: 1kB', 'stalesweep.yaml: memoryBudget: "1kB" must lie between 16MB and 2GB'],
    [
      'staleAfter: 30s',
      'target "default": staleAfter (30s) is below minStaleAfter (60s); raise the one or lower the other',
    ],
    ['maxStaleFraction: 2', 'stalesweep.yaml: maxStaleFraction: 2 must be a number from 0 to 1'],
    ['port: 99999', 'stalesweep.yaml: port: 99999 must be a whole number from 0 to 65535'],
    ['restartGrace: maybe', 'stalesweep.yaml: restartGrace: "maybe" must be true or false'],
    ['every: 5m\ncron: "* * * * *"', 'target "default": "every" and "cron" are both set; keep one'],
    ['tz: Europe/Vienna', 'target "default": "tz" needs "cron"; an interval has no time zone'],
    [
      'cron: "* * * * *"\ntz: Mars/Base',
      'stalesweep.yaml: tz: "Mars/Base" is not a time zone; use one such as Europe/Vienna or UTC',
    ],
    ['schema: swrm', 'target "default": unknown schema "swrm", did you mean "swarm"?'],
    ['targets: { b: {} }', 'target "b" has no url; write url: redis://host:6379/0 under it'],
    [
      'targets: { "a b": { url: "redis://h" } }',
      'stalesweep.yaml: targets.a b: a name is made of letters, digits, ".", "_" and "-"',
    ],
    [
      'orphans: [nope]',
      'target "default": orphans: "nope" is not a family that schema "swarm" can sweep; allowed: signal, ack, idempotency, activity, state',
    ],
    [
      'logLevel: loud',
      'stalesweep.yaml: logLevel: "loud" is not allowed; use trace, debug, info, warn, error, fatal, silent',
    ],
    [
      'schemas: { m: { x: "a:{coordinator}" } }',
      'schema "m": it has no "heartbeat" family; without one nothing can be stale',
    ],
    ['targets: { x: }', 'stalesweep.yaml: targets.x: must hold settings such as url: "redis://host:6379/0"'],
    ['targets: 5', 'stalesweep.yaml: targets: must hold names, each with settings such as url: "redis://host:6379/0"'],
    ['queue: "redis://u:hush@h"', 'stalesweep.yaml: queue: must hold settings such as url: "redis://host:6379/0"'],
    ['queue: {}', 'stalesweep.yaml: queue.url: is missing; it must be a Redis URL'],
    [
      'schemas: { m: }',
      'stalesweep.yaml: schemas.m: must hold names, each with settings such as heartbeat: "beat:{coordinator}"',
    ],
    [
      'schemas: { m: { heartbeat: "b:{coordinator}", x: "x:{ swarm }:{coordinator}" } }',
      'schema "m": family "x": key template "x:{ swarm }:{coordinator}" holds { swarm }; only {swarm} and {coordinator} can stand there',
    ],
    [
      'schemas: { m: { ids: { shape: "2" }, heartbeat: "b:{coordinator}" } }',
      'stalesweep.yaml: schemas.m.ids.shape: "2" is no shape of an id; write a word for each segment, such as "host:pid", or "+" for one or more',
    ],
    [
      'schemas: { m: { ids: { never: ["ping:1"] }, heartbeat: "b:{coordinator}" } }',
      'stalesweep.yaml: schemas.m.ids.never.0: "ping:1" must be one segment of an id, whole: without ":" or "*"',
    ],
    [
      'schemas: { m: { ids: { never: ["ping*"] }, heartbeat: "b:{coordinator}" } }',
      'stalesweep.yaml: schemas.m.ids.never.0: "ping*" must be one segment of an id, whole: without ":" or "*"',
    ],
    ['history: { completed: 7d }', 'stalesweep.yaml: history.completed: must hold settings such as age: 7d'],
    [
      'targets: { a: { url: "redis://h", history: { completed: { count: 5 } } } }',
      'stalesweep.yaml: targets.a.history: is one setting for all targets; write it at the top of the file',
    ],
    ['- staleAfter', 'stalesweep.yaml: must hold settings such as staleAfter: 10m'],
  ])('answers %j with one sentence', (file, sentence) => {
    expect(() => resolve(file)).toThrow(new Failure('CONFIG', sentence));
  });

  test.each([
    [
      { REDIS_URL: 'redsi://u:hush@h' },
      'REDIS_URL: "redsi://u:***@h" is not a Redis URL; use redis://, rediss://, redis+cluster://, redis+sentinel:// or unix://',
    ],
    [
      { REDIS_URL: 'redis+cluster://u:hush@a,b/1' },
      'REDIS_URL: "redis+cluster://u:***@a,b/1" names a database; of a cluster number 0 alone can be used: leave it out',
    ],
    [
      { REDIS_URL: 'redis+cluster://u:hush@a,b/x' },
      'REDIS_URL: "redis+cluster://u:***@a,b/x" is not the address of a cluster; write redis+cluster://user:password@',
    ],
    [{ REDIS_URL: 'redis://u:hush@h/abc' }, 'must end in a database number'],
    [{ STALESWEEP_NICE: 'very' }, 'STALESWEEP_NICE: "very" must be a number from 0 to 100'],
    [{ STALESWEEP_EVRY: '5m' }, 'unknown setting "STALESWEEP_EVRY", did you mean "STALESWEEP_EVERY"?'],
    [{ STALESWEEP_CRON: 'often' }, 'is not a cron pattern'],
    [{ STALESWEEP_CRON: '30 2' }, 'STALESWEEP_CRON: "30 2" is not a cron pattern (it has 2 of 5 fields)'],
    [{ STALESWEEP_CRON: 'H * * * *' }, 'is not a cron pattern (H is drawn anew with each look)'],
    [{ STALESWEEP_CRON: '5,H * * * *' }, 'is not a cron pattern (H is drawn anew with each look)'],
    [{ STALESWEEP_CRON: '@often' }, 'is not a cron pattern'],
    [{ STALESWEEP_DASHBOARD_USER: 'a:b' }, 'STALESWEEP_DASHBOARD_USER: "a:b" must be a user name without ":"'],
  ])('answers the environment %j with one sentence, without secrets', (env, sentence) => {
    const thrown = (() => {
      try {
        return resolve('', env as Environment);
      } catch (error) {
        return error;
      }
    })() as Failure;
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown.message).toContain(sentence);
    expect(thrown.message).not.toContain('hush');
  });

  test('takes an empty variable for an unset one', () => {
    expect(secondsOf(resolve('', { STALESWEEP_STALE_AFTER: '', REDIS_URL: '' }))).toBe(600);
  });

  /** A sentence of ours: one line, none of the libraries' own words, and it names the setting or the file. */
  const expectSentence = (error: unknown): void => {
    expect(error).toBeInstanceOf(Failure);
    const { code, message } = error as Failure;
    expect(code).toBe('CONFIG');
    expect(message).toMatch(
      /^(stalesweep\.yaml|target ".*"|schema ".*"|unknown setting|(QUEUE_)?REDIS_URL|STALESWEEP_[A-Z]+|LOG_LEVEL|--[a-z-]+)/,
    );
    expect(message).not.toMatch(/\n|Invalid input|expected .* received|undefined$|\[object/);
  };
  const resolvesOrComplains = (attempt: () => unknown): void => {
    try {
      attempt();
    } catch (error) {
      expectSentence(error);
    }
  };

  test('never fails but with a sentence, whatever stands under a name that is known', () => {
    const settings = Object.keys(ALL_SETTINGS);
    const names = fc.constantFrom(...settings, 'targets', 'schemas', 'queue', '__proto__', 'constructor', 'a', 'age');
    const odd = fc.constantFrom(null, '', ' ', '10m', '0', -1, 1e308, '1e3m', true, [], {}, [[]], 'redis://h', '../x');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        odd,
        fc.jsonValue({ maxDepth: 1 }),
        fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(names, tree, { maxKeys: 4 }), (file) => {
        resolvesOrComplains(() => resolve(JSON.stringify(file)));
      }),
      { numRuns: 600 },
    );
  });

  test('never fails but with a sentence, whatever text the file and the environment hold', () => {
    const variables = Object.values(ALL_SETTINGS).flatMap(({ env }) => env ?? []);
    fc.assert(
      fc.property(anyText(), fc.constantFrom(...variables), (text, variable) => {
        resolvesOrComplains(() => resolve(text));
        resolvesOrComplains(() => resolve('', { [variable]: text }));
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['redis://user:hush@host:1/2?password=hush', 'redis://user:***@host:1/2'],
  ['redis://:hush@host', 'redis://:***@host'],
  ['redis://host', 'redis://host'],
  ['nonsense//u:hush@x', 'nonsense//***@x'],
])('%s is shown as %s', (url, expected) => {
  expect(redactUrl(url)).toBe(expected);
});
