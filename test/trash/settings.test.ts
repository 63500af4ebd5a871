import { expect, test } from 'vitest';
import { aclLine, WAYS } from '../../src/redis/rights/permissions.ts';
import { targetOf } from '../support/cleanup.ts';

function of(settings: object) {
  return targetOf('redis://localhost', settings);
}

test('the trash is off unless a time is given', () => {
  expect(of({}).trash).toBe(0);
  expect(of({ trash: '0s' }).trash).toBe(0);
  expect(of({ trash: '24h' }).trash).toBe(86_400_000);
  for (const trash of ['500ms', '-1h', 24, true, '1001d', ''])
    expect(() => of({ trash }), String(trash)).toThrow(/trash/);
});

test('what was swept is announced on a channel, or in a stream, or not at all', () => {
  expect(of({}).announce).toBe(false);
  expect(of({ announce: { channel: 'swept' } }).announce).toEqual({ channel: 'swept' });
  expect(of({ announce: { stream: 'swept' } }).announce).toEqual({ stream: 'swept', maxLength: 10_000 });
  for (const announce of [{}, { channel: 'a', stream: 'b' }, { channel: 'a', maxLength: 1 }, 'swept', { stream: '' }])
    expect(() => of({ announce }), JSON.stringify(announce)).toThrow(/announce/);
});

test('a stream that could be swept is refused (P8)', () => {
  expect(() => of({ announce: { stream: 'blocking:signal:c1' } })).toThrow(/could be swept; give it another name/);
  expect(() => of({ announce: { stream: 'swarm:s:blocking:heartbeat:c1' } })).toThrow(/could be swept/);
});

test('only where they are on are more rights asked for, and never for a dry run', () => {
  const plain = WAYS.map((way) => aclLine(of({}), way));
  const both = WAYS.map((way) => aclLine(of({ trash: '1h', announce: { channel: 'a*b' } }), way));
  for (const line of plain) expect(line).not.toMatch(/stalesweep:|renamenx|publish|&/);
  for (const line of both.slice(0, 2)) {
    for (const right of ['~stalesweep:trash*', '&a\\*b', '+publish', '+renamenx', '+pexpire', '+set', '+getrange'])
      expect(line.split(' ')).toContain(right);
  }
  expect(both[2]).toBe(plain[2]);
  const line = aclLine(of({ announce: { stream: 'swept' } }), 'script').split(' ');
  expect(line).toEqual(expect.arrayContaining(['~swept', '+xadd']));
  expect(line).not.toContain('+renamenx');
});

test('a server that knows no rights to channels, before 6.2, is not told of any: it would take the whole line for an error', () => {
  const target = of({ trash: '1h', announce: { channel: 'swept' } });
  for (const way of WAYS) {
    const today = aclLine(target, way);
    expect(aclLine(target, way, '6.0.16')).toBe(today.replace(' &swept', ''));
    for (const version of ['6.2.0', '7.0.15', '8.0.6', '10.0.0', 'unknown'])
      expect(aclLine(target, way, version)).toBe(today);
  }
});

test('in a cluster whose hashes know times to live of fields, from 7.4 on, a run may keep them', () => {
  const target = { ...of({}), part: 'p' };
  for (const way of WAYS) {
    const rights = ['+hpexpiretime', '+hpexpireat'].filter((right) =>
      aclLine(target, way, '8.0.6').split(' ').includes(right),
    );
    expect(rights).toHaveLength(way === 'dry run' ? 0 : 2);
    for (const version of ['7.0.15', '7.2.4', 'unknown'])
      expect(aclLine(target, way, version)).not.toContain('hpexpire');
    expect(aclLine(of({}), way, '8.0.6')).not.toContain('hpexpire');
  }
});
