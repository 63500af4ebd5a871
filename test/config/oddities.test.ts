import { expect, test } from 'vitest';
import { type Environment, resolveConfig } from '../../src/config/resolve.ts';
import { Failure } from '../../src/domain/failure.ts';

function complaint(env: Environment, text = ''): string {
  try {
    resolveConfig({}, env, { name: 'c.yaml', text });
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(/^\P{Cc}{10,500}$/u) });
    return (error as Failure).message;
  }
}

/** Ten of each level under the next: written out, ten to the power of `levels`. */
function bomb(levels: number): string {
  return Array.from({ length: levels }, (_, i) => {
    const part = i === 0 ? 'x' : `*a${i - 1}`;
    return `${i === levels - 1 ? 'orphans' : `a${i}`}: &a${i} [${Array(10).fill(part).join(',')}]`;
  }).join('\n');
}

test.each([
  [bomb(9), 'c.yaml: is not YAML: it repeats itself too often'],
  ['staleAfter: 10m\nstaleAfter: 20m', 'c.yaml: is not YAML: Map keys must be unique at line 2, column 1'],
  ['x: &x { staleAfter: 10m }\n<<: *x', 'c.yaml: unknown setting "x"'],
  ['targets: { default: { <<: { staleAfter: 20m } } }', 'c.yaml: unknown setting "<<" under "targets.default"'],
  ['targets:\n\tdefault: {}', 'c.yaml: is not YAML: Tabs are not allowed as indentation at line 2, column 1'],
  ['\u0000\u0001\ufffd', 'c.yaml: must hold settings such as staleAfter: 10m'],
  ['staleAfter: 10m\n---\nstaleAfter: 20m', 'c.yaml: is not YAML: it holds several documents'],
  ['staleAfter: !secret 10m', 'c.yaml: is not YAML: Unresolved tag: !secret at line 1, column 13'],
  ['port: .inf', 'c.yaml: port: Infinity must be a whole number from 0 to 65535'],
  ['nice: .nan', 'c.yaml: nice: NaN must be a number from 0 to 100'],
  ['nice: -0.5', 'c.yaml: nice: -0.5 must be a number from 0 to 100'],
  ['? { a: 1 }\n: 2', 'c.yaml: unknown setting "{ a: 1 }"'],
  ['dashboardPassword: " "', 'c.yaml: dashboardPassword: must be a password in quotes, and not empty'],
  [
    `schemas: { m: { heartbeat: "a:{coordinator}", x: "${'*'.repeat(100_000)}" } }`,
    `schema "m": family "x": key template "${'*'.repeat(200)}…" must name {coordinator} exactly once`,
  ],
])('the file %.40j is answered with one short sentence', (text, sentence) => {
  expect(complaint({}, text)).toBe(sentence);
});

test.each([
  ['redis://h?keyPrefix=x', '"redis://h" may end in ?family=4 or ?family=6, and in nothing else'],
  ['redis://h/0?retryStrategy=x', 'may end in ?family=4'],
  ['redis://u:hush@h?tls=true', '"redis://u:***@h" may end in ?family=4'],
  ['redis://h?family=4&db=3', 'may end in ?family=4'],
  ['redis://h#0', 'may end in ?family=4'],
  ['redis://u:100%hush@h', 'holds a "%" in its user or password that escapes nothing; write %25 for it'],
  [' ', 'REDIS_URL: must be a Redis URL, not empty'],
  ['redis://h:65536', 'is not a valid URL'],
  ['redis://h/-1', 'must end in a database number'],
  ['redis:///0', 'names no host'],
  ['redis://h?family=6', 'none'],
  ['redis://u:100%25@h/2', 'none'],
])('the address %j is answered with: %s', (url, sentence) => {
  const said = complaint({ REDIS_URL: url });
  expect(said).toContain(sentence);
  expect(said).not.toContain('hush');
  expect(complaint({ QUEUE_REDIS_URL: url })).toContain(sentence.replace('REDIS_URL', 'QUEUE_REDIS_URL'));
});

test.each([
  'STALESWEEP_STALE_AFTER',
  'STALESWEEP_EVERY',
  'STALESWEEP_CRON',
  'STALESWEEP_SCHEMA',
  'STALESWEEP_PORT',
  'STALESWEEP_HOST',
  'STALESWEEP_DASHBOARD_USER',
  'STALESWEEP_DASHBOARD_PASSWORD',
  'STALESWEEP_READ_ONLY',
  'LOG_LEVEL',
])('%s counts as unset when it is empty, and as wrong when it is blank', (name) => {
  expect(complaint({ [name]: '' })).toBe('none');
  expect(complaint({ [name]: '  ' })).toMatch(new RegExp(`^(${name}: |target "default": unknown schema)`));
});

test('what Kubernetes tells of a Service called stalesweep is no setting', () => {
  const service = {
    STALESWEEP_SERVICE_HOST: '10.0.0.7',
    STALESWEEP_SERVICE_PORT: '80',
    STALESWEEP_SERVICE_PORT_HTTP: '80',
    STALESWEEP_PORT: 'tcp://10.0.0.7:80',
    STALESWEEP_PORT_80_TCP: 'tcp://10.0.0.7:80',
    STALESWEEP_PORT_80_TCP_PROTO: 'tcp',
    STALESWEEP_PORT_80_TCP_PORT: '80',
    STALESWEEP_PORT_80_TCP_ADDR: '10.0.0.7',
    STALESWEEP_DASHBOARD_SERVICE_HOST: '10.0.0.8',
    STALESWEEP_DASHBOARD_PORT: 'tcp://10.0.0.8:3000',
    STALESWEEP_METRICS_PORT: 'tcp://10.0.0.8:9090',
  };
  const { process } = resolveConfig({}, service);
  expect([process.port, process.metricsPort]).toEqual([3000, undefined]);
  expect(complaint({ STALESWEEP_SERVICE: 'x' })).toContain('unknown setting "STALESWEEP_SERVICE"');
  expect(complaint({ STALESWEEP_PORT: 'http://x' })).toContain('STALESWEEP_PORT');
});
