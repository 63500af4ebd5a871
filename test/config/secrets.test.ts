import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PROCESS_SETTINGS } from '../../src/config/settings/processSettings.ts';
import { OWN_TARGET_SETTINGS, TARGET_SETTINGS } from '../../src/config/settings/settings.ts';
import { redactUrl } from '../../src/config/values/redisUrl.ts';
import { type Environment, resolveConfig } from '../../src/config/resolve.ts';
import { showConfig } from '../../src/config/show.ts';
import { Failure } from '../../src/domain/failure.ts';

/** Why a configuration is refused; `null` where it is not. */
function refusalOf(env: Environment, file?: string): string | null {
  try {
    resolveConfig({}, env, file === undefined ? undefined : { name: 'test.yaml', text: file });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What a start with this configuration says: its one sentence, or what it logs of itself. */
function saidOf(env: Environment, file?: string, flags = {}): string {
  try {
    const config = resolveConfig(flags, env, file === undefined ? undefined : { name: 'test.yaml', text: file });
    return JSON.stringify(showConfig(config));
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return (error as Failure).message;
  }
}

test.each([
  ['redis://user:12/hush@host', 'redis://***@host'],
  ['redis://user:12?hush@host', 'redis://***@host'],
  ['redis://user:12#hush@host', 'redis://***@host'],
  ['redis://user:hu@sh@host/0', 'redis://user:***@host/0'],
  ['redis://:hush', 'redis://:***'],
  ['user:hush@host:6379', '***@host:6379'],
  [':hush@host:6379', '***@host:6379'],
  ['redis:user:hush@host', '***@host'],
  ['redis://host/0?password=hush', 'redis://host/0'],
  ['localhost:6379', 'localhost:6379'],
])('an address with an unescaped or misplaced password, %s, is shown as %s', (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
  expect(saidOf({ REDIS_URL: url })).not.toContain('hush');
});

test.each(['hush', '123456', '{ hush: 1 }', '[hush]', '*hush', '@hush', '""'])(
  'a dashboard password that YAML reads as something else, %s, is refused without repeating it',
  (written) => {
    const said = saidOf({}, `dashboardPassword: ${written}`);
    expect(said).not.toMatch(/hush|123456/);
    if (written !== 'hush') expect(said).toContain('test.yaml: ');
  },
);

test.each([
  'targets: { default: { url: { host: h, password: hush } } }',
  'targets: { default: { url: ["redis://u:hush@h"] } }',
  'targets: { a: { url: "redis://h", replicas: [{ password: hush }] } }',
  'targets: { a: { url: "redis://h", "redis://u:hush@h": 1 } }',
  'targets: { "redis://u:hush@h": { url: "redis://h" } }',
  '"redis://u:hush@h": 1',
  'dashboardUser: { hush: 1 }',
  'staleAfter: { redis: "redis://u:hush@h" }',
])('what stands where no address can, %s, is refused without repeating it', (file) => {
  const said = saidOf({}, file);
  expect(said).toContain('test.yaml: ');
  expect(said).not.toContain('hush');
});

test('an address that was meant for another setting is refused without its password, whichever that is', () => {
  const all = { ...PROCESS_SETTINGS, ...TARGET_SETTINGS, ...OWN_TARGET_SETTINGS };
  const places = Object.entries(all).flatMap(([name, setting]) =>
    'env' in setting ? [[name, setting.env]] : [[name]],
  );
  const said = places.flatMap(([name = '', env]) => {
    const address = 'redis://u:hush@h';
    const given = [[{}, `${name}: "${address}"`], ...(env === undefined ? [] : [[{ [env]: address }]])] as const;
    return given.map(([variables, file]) => refusalOf(variables as Environment, file as string | undefined));
  });
  const refused = said.filter((one) => one !== null);
  expect(refused.length).toBeGreaterThan(30);
  expect(refused.filter((one) => one.includes('hush'))).toEqual([]);
});

/** Nothing that a sentence holds anyway. */
const password = fc.string({ minLength: 1, maxLength: 12 }).map((text) => `hush${text}hush`);
const scheme = fc.constantFrom('redis://', 'rediss://', 'redis+cluster://', 'redsi://', 'http://', '//', 'redis:', '');
const user = fc.constantFrom('', 'user', 'a b');
const rest = fc.constantFrom('host', 'host:6379/0', 'host/x', '', ':::', 'host?x=1', '[::1', 'host:6379/0#x');

test('no password is ever said, wherever the address stands and however it is written', () => {
  fc.assert(
    fc.property(scheme, user, password, fc.boolean(), rest, (protocol, name, secret, escaped, end) => {
      const url = `${protocol}${name}:${escaped ? encodeURIComponent(secret) : secret}@${end}`;
      const written = JSON.stringify(url);
      const said = [
        saidOf({ REDIS_URL: url }),
        saidOf({ QUEUE_REDIS_URL: url }),
        saidOf({}, undefined, { url }),
        saidOf({}, `queue: { url: ${written} }`),
        saidOf({}, `targets: { staging: { url: ${written} } }`),
        saidOf({}, `queue: ${written}`),
        saidOf({ STALESWEEP_DASHBOARD_PASSWORD: secret }),
      ];
      for (const sentence of said) expect(sentence).not.toContain('hush');
    }),
    { numRuns: 150 },
  );
});

test.each([
  ['__proto__: { staleAfter: 1s }', 'unknown setting "__proto__"'],
  ['targets: { __proto__: { url: "redis://h" } }', 'unknown setting "__proto__"'],
  ['targets: { a: { url: "redis://h", __proto__: 1 } }', 'unknown setting "__proto__"'],
  ['schemas: { m: { heartbeat: "a:{coordinator}", __proto__: "b:{coordinator}" } }', 'unknown setting "__proto__"'],
  ['schema: __proto__', 'unknown schema "__proto__"'],
  ['schema: constructor', 'unknown schema "constructor"'],
  ['orphans: [__proto__]', '"__proto__" is not a family'],
  ['staleAfter: &a [*a]', 'test.yaml: a value contains itself'],
  ['staleAfter: *nobody', 'test.yaml: is not YAML: an alias names no anchor'],
  ['url: "redis://h"', 'test.yaml: unknown setting "url"'],
])('%s stops the start with a sentence', (file, sentence) => {
  expect(saidOf({}, file)).toContain(sentence);
});
