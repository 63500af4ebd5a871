import { expect, test } from 'vitest';
import { QUEUE_PREFIX as PREFIX } from '../../../src/domain/ownKeys.ts';
import { sightingsKeysOf } from '../../../src/ledger/sightings/sightingsKey.ts';
import { targetOf } from '../../support/cleanup.ts';

function keyOf(url: string, text = 'beat:{coordinator}', name = 'default', id?: string): string {
  const [key = ''] = sightingsKeysOf(PREFIX, { name, url, id, schema: { heartbeat: { text } } }, [name]);
  return key;
}

test('is made of prefix, target and a short fingerprint, and takes a target as it is configured', () => {
  const keys = sightingsKeysOf(PREFIX, targetOf('redis://main:6379'), ['default', 'other']);
  expect(keys).toEqual([
    expect.stringMatching(/^\{stalesweep\}:sightings:default:[0-9a-f]{12}$/),
    keys[0]?.replace('default', 'other'),
  ]);
});

test.each([
  ['redis://main', 'redis://main:6379/0'],
  ['redis://main/', 'redis://MAIN:6379/00'],
  ['redis://main/2', 'rediss://main:6379/2?family=4'],
  ['redis://main', 'redis://someone:secret@main'],
  ['redis://someone:one@main', 'redis://:p@ss@main'],
  ['redis://[::1]/1', 'redis://[::1]:6379/1'],
  ['redis+cluster://a:1,b:2', 'redis+cluster://u:p@b:2,a:1'],
  ['redis+sentinel://a:1/primary', 'redis+sentinel://u:p@a:1/primary?db=0'],
])('is the same for %s and %s', (one, other) => {
  expect(keyOf(other)).toBe(keyOf(one));
});

test('is another for another host, port, database, heartbeat or target', () => {
  const keys = [
    keyOf('redis://main'),
    keyOf('redis://main2'),
    keyOf('redis://main:6380'),
    keyOf('redis://main/1'),
    keyOf('redis://main', 'beats:{coordinator}'),
    keyOf('redis://main', 'beat:{coordinator}', 'staging'),
    keyOf('redis+cluster://main,main2'),
    keyOf('redis+sentinel://main/primary'),
    keyOf('redis+sentinel://main/secondary'),
    keyOf('redis+sentinel://main/primary?db=1'),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test('is the same for one `id`, whatever the address, and another for each', () => {
  const of = (url: string, id?: string) => keyOf(url, undefined, undefined, id);
  expect(of('redis://main', 'one')).toBe(of('redis://10.0.0.7:6380/2', 'one'));
  expect(new Set([of('redis://main'), of('redis://main', 'one'), of('redis://main', 'other')]).size).toBe(3);
});
