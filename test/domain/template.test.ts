import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileSchema, type FamilyTemplates, identify, SHIPPED_SCHEMAS } from '../../src/schema/keySchema.ts';
import { derive, eachOwner, mayOverlap, parseTemplate, sharedGlob } from '../../src/schema/template.ts';
import { useRedis } from '../support/leaks.ts';

const ownersOf = (text: string, key: string): string[] => {
  const found: string[] = [];
  eachOwner(parseTemplate(text), key, ({ coordinator, swarm }) =>
    found.push(swarm === null ? coordinator : `${swarm}/${coordinator}`),
  );
  return [...new Set(found)].sort();
};

describe('a template', () => {
  test.each([
    ['blocking:signal:{coordinator}', 'blocking:signal:c1', ['c1']],
    ['blocking:signal:{coordinator}', 'blocking:signal:c1:x', []],
    ['blocking:signal:{coordinator}', 'blocking:signal:', []],
    ['blocking:ack:{coordinator}:*', 'blocking:ack:c1:', ['c1']],
    ['blocking:ack:{coordinator}:*', 'blocking:ack:c1', []],
    ['blocking:ack:{coordinator}:*', 'blocking:ack:c10:c1', ['c10']],
    ['i:*:{coordinator}', 'i:a:b:c', ['c']],
    ['i:*:{coordinator}:*', 'i:a:b:c:d', ['b', 'c']],
    ['swarm:{swarm}:beat:{coordinator}', 'swarm:s:beat:c', ['s/c']],
    ['agent-{coordinator}-x', 'agent-a-x-x', ['a-x']],
    ['{{coordinator}}:beat', '{c1}:beat', ['c1']],
    ['*:{coordinator}', 'a:b\nc:*?[\\', ['*?[\\']],
  ])('%s reads %j as a key of %j (P2)', (text, key, expected) => {
    expect(ownersOf(text, key)).toEqual(expected);
  });

  test.each([
    ['a:*', 'must name {coordinator} exactly once'],
    ['{coordinator}:{coordinator}', 'must name {coordinator} exactly once'],
    ['{swarm}:{swarm}:{coordinator}', 'names {swarm} more than once'],
    ['{swarm}{coordinator}', 'in segments of their own'],
    ['{swarm}-{coordinator}', 'in segments of their own'],
    ['{coordinator}*', 'in segments of their own'],
    ['{agent}:{coordinator}', 'holds {agent}; only {swarm} and {coordinator}'],
    ['*:a:*:b:*:c:*:{coordinator}', 'more than three *'],
  ])('%s is refused with a sentence', (text, sentence) => {
    expect(() => parseTemplate(text)).toThrow(sentence);
  });

  test('reads back exactly the owner it was derived from, whatever characters the id holds (P2, P8)', () => {
    const id = fc.string({ unit: fc.constantFrom(...'ab*?[]\\^-{}ÿ \n'), minLength: 1 });
    const plain = Object.values(SHIPPED_SCHEMAS)
      .flatMap((families) => Object.values(families).flat())
      .filter((text) => !text.includes('*'));
    fc.assert(
      fc.property(fc.constantFrom(...plain), id, id, (text, coordinator, swarm) => {
        const template = parseTemplate(text);
        const owner = { coordinator, swarm: template.hasSwarm ? swarm : null };
        const found: unknown[] = [];
        eachOwner(template, derive(template, owner), (one) => found.push(one));
        expect(found).toEqual([owner]);
      }),
    );
  });

  test('is known to overlap every template that reads one of its keys (P2)', () => {
    const part = fc.constantFrom('a', 'b', '*', '{coordinator}', 'x{coordinator}');
    const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'));
    const valid = text.filter((one) => (one.match(/\{coordinator\}/g) ?? []).length === 1);
    const key = fc
      .array(fc.constantFrom('a', 'b', 'xa', 'c'), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join(':'));
    fc.assert(
      fc.property(valid, valid, key, (left, right, name) => {
        fc.pre(ownersOf(left, name).length > 0 && ownersOf(right, name).length > 0);
        expect(mayOverlap(parseTemplate(left), parseTemplate(right))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a schema', () => {
  const compile = (families: FamilyTemplates) => compileSchema('mine', families);
  test.each([
    [{ signal: 's:{coordinator}' }, 'it has no "heartbeat" family'],
    [{ heartbeat: ['a:{coordinator}', 'b:{coordinator}'] }, 'must have exactly one template'],
    [{ heartbeat: 'a:{coordinator}:*' }, 'must not hold a *'],
    [{ heartbeat: 'a:{coordinator}', b: 'b:{swarm}:{coordinator}' }, 'names {swarm}, but the heartbeat template'],
    [{ heartbeat: 'a:{coordinator}', b: 'a*:{coordinator}' }, 'can match heartbeats'],
    [
      { heartbeat: 'h:{coordinator}', b: ['a:{coordinator}:x', 'a:x:{coordinator}'] },
      'can name the same key for different',
    ],
  ])('%j is refused with a sentence', (families, sentence) => {
    expect(() => compile(families as FamilyTemplates)).toThrow(sentence);
  });

  test('may keep everything of a coordinator below its heartbeat', () => {
    const schema = compile({ heartbeat: 'agents:{coordinator}:beat', rest: 'agents:{coordinator}:*' });
    expect(identify(schema, 'agents:c1:beat')).toEqual({ heartbeat: true, owner: { coordinator: 'c1', swarm: null } });
    expect(identify(schema, 'agents:c1:mail:1')).toMatchObject({ heartbeat: false, owners: [{ coordinator: 'c1' }] });
  });
});

const server = useRedis();
test('one SCAN pattern finds every key of all the templates it is made of, whatever their prefixes hold (P6)', async () => {
  const { redis } = server.current;
  const prefix = fc
    .string({ unit: fc.constantFrom(...'ab*?[]\\^-!,'), minLength: 1, maxLength: 4 })
    .filter((text) => !text.includes('*'));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(prefix, { minLength: 1, maxLength: 3 }), async (prefixes) => {
      await redis.flushall();
      const templates = prefixes.map((text) => parseTemplate(`${text}:{coordinator}:*`));
      const keys = prefixes.map((text) => `${text}:c*1:x`);
      for (const key of keys) await redis.set(key, '1');
      const found = new Set<string>();
      for (let cursor = '0'; ; ) {
        const [next, page] = await redis.scan(cursor, 'MATCH', sharedGlob(templates), 'COUNT', 100);
        for (const key of page) found.add(key);
        cursor = next;
        if (cursor === '0') break;
      }
      expect([...found].sort()).toEqual([...keys].sort());
    }),
    { numRuns: 200 },
  );
});
