import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
const scripts = readdirSync(new URL('lua/', ROOT)).filter((name) => name.endsWith('.lua'));

/** What scripts call on a target to ask for a proof and to remove. */
const ON_TARGETS = ['MGET', 'EXISTS', 'UNLINK', 'OBJECT'];
/** What puts things into the trash, and takes them out again. */
const TRASHING = ['PTTL', 'RENAMENX', 'PEXPIRE'];
/** What each may call; the last ones know nothing but stalesweep's own keys, in the queue's Redis. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  sweep: [...ON_TARGETS, ...TRASHING, 'SET', 'SISMEMBER', 'SADD', 'PUBLISH', 'XADD', 'TIME'],
  orphans: [...ON_TARGETS, ...TRASHING, 'SET', 'TIME'],
  leave: ['GET', 'UNLINK'],
  holding: ['GETRANGE'],
  filters: ['GETRANGE'],
  restore: [...TRASHING, 'EXISTS', 'GETRANGE', 'PERSIST'],
  setAside: ['EXISTS', 'OBJECT', 'RENAMENX', 'TIME'],
  toTrash: [...TRASHING, 'SETRANGE'],
  sweepHeartbeats: ['MGET', 'EXISTS', 'UNLINK', ...TRASHING, 'SETRANGE', 'SET', 'SADD', 'PUBLISH'],
  announce: ['SISMEMBER', 'UNLINK', 'PUBLISH', 'XADD', 'SADD', 'PEXPIRE'],
  sayWord: ['SREM', 'SADD', 'XADD', 'PEXPIREAT'],
  putBack: ['EXISTS', 'RENAMENX', 'PTTL', 'PEXPIRE'],
  mergeBack: [
    ...['TYPE', 'RENAMENX', 'EXISTS', 'PTTL', 'PEXPIRE', 'SADD', 'SPOP', 'ZPOPMIN', 'ZADD', 'RPOPLPUSH'],
    ...['HGET', 'HSETNX', 'HPEXPIRETIME', 'HPEXPIREAT', 'HDEL'],
  ],
  replaceSightings: ['TYPE', 'GETRANGE', 'LLEN', 'EXPIRE', 'UNLINK', 'SET'],
  writeBlock: ['GET', 'SET', 'GETRANGE', 'STRLEN', 'UNLINK', 'ZADD', 'ZCARD', 'ZRANGE', 'ZREM', 'ZSCORE'],
};

describe.each(scripts)('lua/%s', (name) => {
  const source = readFileSync(new URL(`lua/${name}`, ROOT), 'utf8');
  const [header = '', body = ''] = source.split(']]\n');
  const stem = name.replace('.lua', '');

  test('opens with one header that says what it does, takes and returns', () => {
    expect(header).toMatch(new RegExp(`^--\\[\\[ ${stem}: .+`));
    const headings = [...header.matchAll(/^ {2}([A-Z][A-Z ]+[A-Z]) {2,}\S/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(['WHY LUA', 'BOUND', 'SAFE TO', 'KEYS', 'ARGV', 'RETURNS']);
  });

  test('names every ARGV it reads, and reads every ARGV it names', () => {
    const read = [...body.matchAll(/ARGV\[(\d+)\]/g)].map(([, index]) => index);
    const argv = header.slice(header.indexOf('  ARGV'), header.indexOf('  RETURNS'));
    const named = [...argv.matchAll(/ (\d+): /g)].map(([, index]) => index);
    expect([...new Set(read)].sort((a, b) => Number(a) - Number(b))).toEqual(named);
    // The rest is counted from the last that has a number of its own.
    if (/ARGV\[\d+ \+/.test(body)) expect(body).toContain(`ARGV[${named.at(-1)} + `);
  });

  test('touches only keys that were declared, with UNLINK and never with DEL or KEYS (P6, P8)', () => {
    const calls = [...body.matchAll(/redis\.p?call\('([A-Z]+)', ([^\n]*)/g)];
    expect(calls.length).toBeGreaterThan(0);
    for (const [, command, args] of calls) {
      expect(COMMANDS[stem]).toContain(command);
      // A channel is no key.
      if (command === 'PUBLISH') continue;
      expect(args).toMatch(/^(unpack\((KEYS|idle)|KEYS\[|'(IDLETIME|REFCOUNT)', KEYS\[)/);
    }
  });

  test('has a door of the same name', () => {
    expect(existsSync(new URL(`src/redis/${stem}.ts`, ROOT))).toBe(true);
    expect(readFileSync(new URL(`src/redis/${stem}.ts`, ROOT), 'utf8')).toContain(`loadScript('${stem}')`);
  });
});

test('scripts that refuse what comes too late do so in the same words, before anything else', () => {
  const refusals = scripts.flatMap((name) => {
    const [, body = ''] = readFileSync(new URL(`lua/${name}`, ROOT), 'utf8').split(']]\n');
    // Whatever an error begins with tells callers what it is.
    if (!body.includes('LATE')) return [];
    const [refusal = ''] = /^[\s\S]*?\nend\n/.exec(body) ?? [];
    return [{ name, refusal: refusal.replace(/ARGV\[\d+\]/, 'ARGV[]'), rest: body.slice(refusal.length) }];
  });
  expect(refusals.map(({ name }) => name)).toEqual([
    'orphans.lua',
    'restore.lua',
    'setAside.lua',
    'sweep.lua',
    'sweepHeartbeats.lua',
  ]);
  for (const { refusal, rest } of refusals) {
    expect(refusal).toBe(refusals[0]?.refusal);
    expect(refusal).toContain("redis.call('TIME')");
    expect(rest).not.toContain('LATE');
  }
});
