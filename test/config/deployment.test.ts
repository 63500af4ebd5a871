import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deploymentOf } from '../../src/config/values/deployment.ts';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import { redactUrl, urlComplaint } from '../../src/config/values/redisUrl.ts';
import { resolveConfig } from '../../src/config/resolve.ts';

function targetAt(url: string) {
  const target = resolveConfig({}, { REDIS_URL: url }).targets.get('default');
  if (target === undefined) throw new Error('there is one');
  return target;
}

const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const port = fc.integer({ min: 1, max: 65_535 });
const name = fc.domain().map((text) => text.toLowerCase());
const hosts = fc.array(fc.record({ host: fc.oneof(name, fc.ipV4(), fc.ipV6()), port }), { minLength: 1, maxLength: 5 });
const cases = fc.record({
  hosts,
  user: word,
  secret: word.map((text) => `s3cret${text}`),
  encrypted: fc.boolean(),
  valkey: fc.boolean(),
  primary: word,
  db: fc.nat({ max: 99 }),
  cluster: fc.boolean(),
});

describe('the address of several servers', () => {
  test('says which they are, who enters and what is watched, and shows no password', () => {
    fc.assert(
      fc.property(cases, ({ hosts, user, secret, encrypted, valkey, primary, db, cluster }) => {
        const written = hosts.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`));
        const scheme = `${valkey ? 'valkey' : 'redis'}${encrypted ? 's' : ''}+${cluster ? 'cluster' : 'sentinel'}`;
        const tail = cluster ? '' : `/${encodeURIComponent(primary)}?db=${db}`;
        const open = `${scheme}://${written}${tail}`;
        const closed = `${scheme}://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@${written}${tail}`;
        expect([open, closed].map(urlComplaint)).toEqual([null, null]);
        const target = targetAt(closed);
        const all = hosts.map(({ host, port }) => ({ host: host.toLowerCase(), port }));
        const what = cluster ? { kind: 'cluster' } : { kind: 'sentinel', name: primary, db };
        expect(deploymentOf(target.url)).toEqual({ ...what, hosts: all, encrypted, username: user, password: secret });
        expect(deploymentOf(targetAt(open).url)).toEqual({ ...what, hosts: all, encrypted });
        expect(redactUrl(closed)).not.toContain('s3cret');
        const reversed = `${scheme}://${written.toReversed()}${tail}`;
        expect(fingerprintOf(targetAt(reversed))).toBe(fingerprintOf(target));
        if (!cluster) {
          expect(fingerprintOf(targetAt(open.replace(/db=.*/, `db=${db + 1}`)))).not.toBe(fingerprintOf(target));
        }
      }),
    );
  });

  test.each([
    ['redis+cluster://h', 6379],
    ['redis+sentinel://h/m', 26_379],
  ])('%s leads to the usual port', (url, port) => {
    expect(deploymentOf(url)).toMatchObject({ hosts: [{ host: 'h', port }] });
  });

  test.each([
    'redis+cluster://',
    'redis+cluster://a,,b',
    'redis+cluster://a:0',
    'redis+cluster://a:65536',
    'redis+cluster://::1',
    'redis+sentinel://a',
    'redis+sentinel://a/',
    'redis+sentinel://a/m/2',
    'redis+sentinel://a/m?db=x',
    'redis+sentinel://u:p/w@a/m',
  ])('%s is none, which is said in a sentence', (url) => {
    expect(urlComplaint(url)).toMatch(/is not the address of (a cluster|sentinels); write redis\+(cluster|sentinel):/);
    expect(deploymentOf(url)).toBeNull();
  });

  test.each(['redis+cluster://a/1', 'redis+cluster://a/?db=1'])('%s is none, as it names a database', (url) => {
    expect(urlComplaint(url)).toMatch(
      /^"redis.cluster:\/\/a.*" names a database; of a cluster number 0 alone can be used: leave it out$/,
    );
    expect(deploymentOf(url)).toBeNull();
  });

  test('with a "%" that escapes nothing is answered so', () => {
    expect(urlComplaint('redis+cluster://u:100%@h')).toContain('holds a "%" that escapes nothing; write %25 for it');
  });
});
