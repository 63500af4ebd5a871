import express from 'express';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { areOneServer, fingerprintOf } from '../../src/config/fingerprint.ts';
import { redactUrl, unixSocketIn, urlComplaint } from '../../src/config/values/redisUrl.ts';
import { loadConfig } from '../../src/config/load.ts';
import { resolveConfig } from '../../src/config/resolve.ts';

function targetAt(url: string) {
  const target = resolveConfig({}, { REDIS_URL: url }).targets.get('default');
  if (target === undefined) throw new Error('there is one');
  return target;
}

describe('the address', () => {
  test('of a socket says path, database and who enters, and shows no password', () => {
    const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
    const secret = word.map((text) => `s3cret${text}`);
    const cases = fc.record({ user: word, secret, folder: word, db: fc.nat({ max: 999 }) });
    fc.assert(
      fc.property(cases, ({ user, secret, folder, db }) => {
        const [safeUser, safeSecret, safeFolder] = [user, secret, folder].map(encodeURIComponent);
        const url = `unix://${safeUser}:${safeSecret}@/run/${safeFolder}/redis.sock?db=${db}`;
        fc.pre(safeUser !== undefined && safeSecret !== undefined);
        expect(urlComplaint(url)).toBeNull();
        expect(unixSocketIn(url)).toEqual({
          path: `/run/${folder}/redis.sock`,
          db,
          username: user,
          password: secret,
        });
        expect(redactUrl(url)).not.toContain('s3cret');
        const target = targetAt(url);
        expect(fingerprintOf(target)).toBe(fingerprintOf(targetAt(`unix:///run/${safeFolder}/redis.sock?db=${db}`)));
        expect(fingerprintOf(target)).not.toBe(
          fingerprintOf(targetAt(`unix:///run/${safeFolder}/redis.sock?db=${db + 1}`)),
        );
      }),
    );
  });

  test.each([
    'unix://',
    'unix:///',
    'unix://run/redis.sock',
    'unix:///run/?db=1',
    'unix:///a.sock?db=x',
    'unix:///a?b=1',
  ])('%s is no socket, which is said in a sentence', (url) =>
    expect(urlComplaint(url)).toContain('is not the address of a socket; write unix:///run/redis.sock'),
  );

  test('with a "%" that escapes nothing is answered so', () => {
    expect(urlComplaint('unix:///run/100%.sock')).toContain('holds a "%" that escapes nothing; write %25 for it');
  });

  test.each([
    ['valkey://u:p@host:7000/3', 'redis://u:p@host:7000/3'],
    ['valkeys://host', 'rediss://host'],
    ['VALKEY://host', 'redis://host'],
  ])('%s is that of a Redis', (url, same) => {
    expect(targetAt(url).url).toBe(same);
    expect(fingerprintOf(targetAt(url))).toBe(fingerprintOf(targetAt(same)));
  });
});

test.each([
  ['redis://u:p@Host/3', 'rediss://host:6379', true],
  ['redis://host:6380', 'redis://host:6379', false],
  ['unix:///run/a.sock?db=2', 'unix:///run/a.sock', true],
  ['unix:///run/a.sock', 'unix:///run/b.sock', false],
  ['redis+sentinel://b:26379,a:26379/main?db=1', 'redis+sentinel://a:26379,b:26379/main', true],
  ['redis+sentinel://a:26379/main', 'redis+sentinel://a:26379/other', false],
  ['redis+cluster://a:7000,b:7000', 'redis+cluster://b:7000,a:7000', true],
])('%s and %s lead to one server: %s', (one, other, due) => {
  expect(areOneServer({ url: one }, { url: other })).toBe(due);
});

test('/dev/null is an empty file, and a device without an end is one that is too large', () => {
  expect(loadConfig({}, { STALESWEEP_CONFIG: '/dev/null' }).targetGiven).toBe(false);
  expect(() => loadConfig({}, { STALESWEEP_CONFIG: '/dev/zero' })).toThrow('holds more than 1 MB');
});

describe('what stands before the dashboard', () => {
  const processOf = (env: Record<string, string>) => resolveConfig({}, env).process;

  test.each([
    ['/', ''],
    ['/a', '/a'],
    ['/tools/stale-sweep.v1~/', '/tools/stale-sweep.v1~'],
  ])('is the path %s', (written, path) => {
    expect(processOf({ STALESWEEP_BASE_PATH: written }).basePath).toBe(path);
  });

  test.each(['a', '//a', '/a//b', '/../a', '/a/..', '/a?b', '/a b', '/<x>', 'http://h/a', '/"'])(
    'is not the path %s, which is said in a sentence',
    (written) => {
      expect(() => processOf({ STALESWEEP_BASE_PATH: written })).toThrow(
        /^STALESWEEP_BASE_PATH: .* is no path; write one such as \/stalesweep$/,
      );
    },
  );

  test('are proxies that the server understands: addresses, networks and words for some', () => {
    const ipV6 = fc.ipV6().filter((text) => !text.includes('.'));
    const address = fc.oneof(fc.ipV4(), ipV6);
    const network = fc.oneof(
      fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 })).map(([at, bits]) => `${at}/${bits}`),
      fc.tuple(ipV6, fc.integer({ min: 1, max: 128 })).map(([at, bits]) => `${at}/${bits}`),
    );
    const one = fc.oneof(address, network, fc.constantFrom('loopback', 'linklocal', 'uniquelocal'));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), (proxies) => {
        expect(processOf({ STALESWEEP_TRUST_PROXY: proxies.join(', ') }).trustProxy).toEqual(proxies);
        expect(() => express().set('trust proxy', proxies)).not.toThrow();
      }),
    );
  });

  test.each([
    'true',
    '1',
    'nginx',
    '10.0.0.0/33',
    '10.0.0.7/',
    '::1/129',
    '10.0.0.0/8/8',
    '10.0.0.0/0',
    '::1.2.3.4',
    'fe80::1%eth0',
    'loopback,,',
  ])('are not %s, which is said in a sentence', (written) => {
    expect(() => processOf({ STALESWEEP_TRUST_PROXY: written })).toThrow(/^STALESWEEP_TRUST_PROXY: /);
  });
});
